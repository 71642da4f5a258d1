//! `GET /events`, `/events/{id}` and `/deliveries`: the log.

use axum::Json;
use axum::extract::{Path, State};
use notify_core::Engine;
use notify_core::delivery::{EventStatus, Reason, ResponseClass, State as DeliveryState};
use notify_core::event::{EventKey, Purpose};
use notify_core::store::{DeliveryQuery, EventQuery, StoreError};

use super::error::ApiError;
use super::params::{Params, Tenant};
use super::views::{DeliveryList, DeliveryView, EventDetail, EventList, EventView};

/// `GET /events/{id}`: with its bytes and every attempt.
pub(super) async fn event(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Tenant(tenant): Tenant,
) -> Result<Json<EventDetail>, ApiError> {
    let history = engine.history();
    let id = id.parse().map_err(|_| StoreError::UnknownEvent)?;
    let record = history.event(&EventKey { tenant, id }).await?.ok_or(StoreError::UnknownEvent)?;
    let outlooks = history.outlook(&record.deliveries).await?;
    let mut deliveries = Vec::with_capacity(record.deliveries.len());
    for (delivery, outlook) in record.deliveries.iter().zip(&outlooks) {
        let attempts = history.attempts(&delivery.id()).await?;
        deliveries.push(DeliveryView::of(delivery, outlook).with_attempts(&attempts));
    }
    Ok(Json(EventDetail::of(&record, deliveries)))
}

/// `GET /events`
pub(super) async fn events(State(engine): State<Engine>, mut params: Params) -> Result<Json<EventList>, ApiError> {
    let mut query = EventQuery::default();
    query.tenant = params.tenant()?;
    query.status = params.take_word("status", EventStatus::parse)?;
    query.event_type = params.take("event")?;
    query.endpoint = params.take("endpoint")?;
    query.key = params.take("idempotency_key")?;
    query.purpose = params.take_word("purpose", Purpose::parse)?;
    query.since = params.take("since")?;
    query.until = params.take("until")?;
    query.page = params.page()?;
    params.finish()?;
    let history = engine.history();
    let page = history.events(&query).await?;
    let mut events = Vec::with_capacity(page.items.len());
    for record in &page.items {
        let outlooks = history.outlook(&record.deliveries).await?;
        events.push(EventView::of(record, &outlooks));
    }
    Ok(Json(EventList { events, next_cursor: page.next.map(|cursor| cursor.to_string()) }))
}

/// `GET /deliveries`
pub(super) async fn deliveries(
    State(engine): State<Engine>,
    mut params: Params,
) -> Result<Json<DeliveryList>, ApiError> {
    let mut query = DeliveryQuery::default();
    query.tenant = params.tenant()?;
    query.state = params.take_word("status", DeliveryState::parse)?;
    query.reason = params.take_word("reason", Reason::parse)?;
    query.class = params.take_word("class", ResponseClass::parse)?;
    query.purpose = params.take_word("purpose", Purpose::parse)?;
    query.event_type = params.take("event")?;
    query.endpoint = params.take("endpoint")?;
    query.since = params.take("since")?;
    query.until = params.take("until")?;
    query.page = params.page()?;
    params.finish()?;
    let history = engine.history();
    let page = history.deliveries(&query).await?;
    let outlooks = history.outlook(&page.items).await?;
    let deliveries = page.items.iter().zip(&outlooks).map(|(delivery, outlook)| DeliveryView::of(delivery, outlook));
    Ok(Json(DeliveryList { deliveries: deliveries.collect(), next_cursor: page.next.map(|cursor| cursor.to_string()) }))
}
