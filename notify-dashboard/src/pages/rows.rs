//! Rows of deliveries and events, as several pages show them.

use notify_core::EndpointId;
use notify_core::delivery::{Delivery, Reason};
use notify_core::engine::Outlook;
use notify_core::store::EventRecord;

use crate::failure::{Failure, sentence};
use crate::visit::Visit;
use crate::words::{Mark, When, delivery_mark, event_mark};

use super::names::Names;

/// An event that went to thousands of webhooks shows the first few.
const CHIPS: usize = 4;

/// One delivery in a table.
#[derive(Debug)]
pub(super) struct DeliveryRow {
    pub(super) id: String,
    pub(super) href: String,
    pub(super) mark: Mark,
    pub(super) event_id: String,
    pub(super) event_href: String,
    pub(super) webhook: String,
    pub(super) webhook_href: Option<String>,
    pub(super) created: When,
    pub(super) attempts: u32,
    pub(super) reason: String,
    pub(super) next: Option<When>,
}

/// One event in a table.
#[derive(Debug)]
pub(super) struct EventRow {
    pub(super) href: String,
    pub(super) mark: Mark,
    pub(super) word: String,
    pub(super) event_type: String,
    pub(super) id: String,
    pub(super) created: When,
    pub(super) chips: Vec<Chip>,
    pub(super) more: usize,
    pub(super) attempts: u32,
    pub(super) next: Option<When>,
}

/// One delivery of an event, in a word.
#[derive(Debug)]
pub(super) struct Chip {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) mark: Mark,
}

/// Rows of these deliveries, in their order.
pub(super) async fn deliveries(visit: &Visit, deliveries: &[Delivery]) -> Result<Vec<DeliveryRow>, Failure> {
    let ids: Vec<&EndpointId> = deliveries.iter().map(Delivery::endpoint).collect();
    let names = Names::of(visit, &ids).await?;
    let outlooks = visit.engine().history().outlook(deliveries).await?;
    Ok(deliveries.iter().zip(&outlooks).map(|(delivery, outlook)| row(visit, delivery, outlook, &names)).collect())
}

fn row(visit: &Visit, delivery: &Delivery, outlook: &Outlook, names: &Names) -> DeliveryRow {
    let stored = delivery.as_stored();
    let links = &visit.links;
    DeliveryRow {
        id: stored.id.to_string(),
        href: links.to(&format!("/logs/deliveries/{}", stored.id)),
        mark: delivery_mark(delivery),
        event_id: stored.event.id.to_string(),
        event_href: links.to(&format!("/logs/events/{}", stored.event.id)),
        webhook: names.get(&stored.endpoint),
        webhook_href: names.exists(&stored.endpoint).then(|| links.to(&format!("/webhooks/{}", stored.endpoint))),
        created: visit.when(stored.created_at),
        attempts: stored.attempts,
        reason: stored.reason.map(Reason::sentence).map(sentence).unwrap_or_default(),
        next: outlook.next_attempt_at.map(|next| visit.when(next)),
    }
}

/// Rows of these events, in their order.
pub(super) async fn events(visit: &Visit, records: &[EventRecord]) -> Result<Vec<EventRow>, Failure> {
    let shown = records.iter().flat_map(|record| record.deliveries.iter().take(CHIPS));
    let ids: Vec<&EndpointId> = shown.map(Delivery::endpoint).collect();
    let names = Names::of(visit, &ids).await?;
    let mut rows = Vec::with_capacity(records.len());
    for record in records {
        let outlooks = visit.engine().history().outlook(&record.deliveries).await?;
        let (mark, word) = event_mark(&record.deliveries);
        let chips = record.deliveries.iter().take(CHIPS).map(|delivery| Chip {
            href: visit.links.to(&format!("/logs/deliveries/{}", delivery.id())),
            name: names.get(delivery.endpoint()),
            mark: delivery_mark(delivery),
        });
        rows.push(EventRow {
            href: visit.links.to(&format!("/logs/events/{}", record.event.key.id)),
            mark,
            word,
            event_type: record.event.event_type.to_string(),
            id: record.event.key.id.to_string(),
            created: visit.when(record.created_at),
            chips: chips.collect(),
            more: record.deliveries.len().saturating_sub(CHIPS),
            attempts: record.deliveries.iter().map(|delivery| delivery.as_stored().attempts).sum(),
            next: outlooks.iter().filter_map(|outlook| outlook.next_attempt_at).min().map(|next| visit.when(next)),
        });
    }
    Ok(rows)
}
