//! Counting in memory: for stores that keep everything there.

use std::collections::BTreeMap;

use crate::event::Event;
use crate::id::{EndpointId, EventType, TenantId};
use crate::machine::Change;
use crate::time::Timestamp;

use super::{Activity, ActivityQuery, Counted, Effect, Latencies, Resolution, Sign, counted, sign};

/// Everything that was counted. The memory store's own; a store of the host's that keeps its rows in memory may use it
/// too, and others can be compared with it.
#[derive(Clone, Debug, Default)]
pub struct Tally(BTreeMap<EndpointId, Counts>);

/// What was counted for one endpoint, and since when it fails.
#[derive(Clone, Debug)]
struct Counts {
    tenant: TenantId,
    failing_since: Option<Timestamp>,
    buckets: [BTreeMap<Timestamp, Vec<Row>>; 2],
}

#[derive(Clone, Debug)]
struct Row {
    event_type: EventType,
    effect: Effect,
    latencies: Latencies,
}

impl Tally {
    /// Counts what `change` logs about a delivery of `event`. To be called once for each change that is applied, in the
    /// step that applies it.
    pub fn note(&mut self, event: &Event, change: &Change) {
        if change.attempts().is_empty() {
            return;
        }
        let endpoint = &change.next().endpoint;
        // Looked up twice, since an entry would want its key each time.
        if !self.0.contains_key(endpoint) {
            let tenant = event.key.tenant.clone();
            self.0.insert(endpoint.clone(), Counts { tenant, failing_since: None, buckets: Default::default() });
        }
        let Some(counts) = self.0.get_mut(endpoint) else { return };
        for one in counted(change) {
            counts.count(&event.event_type, one);
        }
        match sign(change) {
            Some(Sign::Well) => counts.failing_since = None,
            Some(Sign::Ill(at)) => counts.failing_since = counts.failing_since.or(Some(at)),
            None => {}
        }
    }

    /// The answer to [`DeliveryLog::activity`](crate::store::DeliveryLog::activity).
    #[must_use]
    pub fn activity(&self, query: &ActivityQuery) -> Vec<Activity> {
        let wanted = |endpoint: &EndpointId| query.endpoint.as_ref().is_none_or(|wanted| wanted == endpoint);
        let mine = self.0.iter().filter(|(id, counts)| counts.tenant == query.tenant && wanted(id));
        let mut found = Vec::new();
        for (endpoint, counts) in mine {
            let buckets = &counts.buckets[query.resolution as usize];
            for (start, rows) in buckets.range(query.since..query.until.max(query.since)) {
                found.extend(rows.iter().map(|row| Activity {
                    start: *start,
                    endpoint: endpoint.clone(),
                    event_type: row.event_type.clone(),
                    effect: row.effect,
                    latencies: row.latencies,
                }));
            }
        }
        found.sort_by_key(|activity| activity.start);
        found
    }

    /// The answer to [`DeliveryLog::failing_since`](crate::store::DeliveryLog::failing_since).
    #[must_use]
    pub fn failing_since(&self, endpoints: &[EndpointId]) -> Vec<Option<Timestamp>> {
        endpoints.iter().map(|id| self.0.get(id).and_then(|counts| counts.failing_since)).collect()
    }
}

impl Counts {
    fn count(&mut self, event_type: &EventType, one: Counted) {
        for (resolution, buckets) in Resolution::ALL.into_iter().zip(&mut self.buckets) {
            let rows = buckets.entry(resolution.bucket(one.at)).or_default();
            let known = rows.iter().position(|row| row.effect == one.effect && row.event_type == *event_type);
            let index = known.unwrap_or_else(|| {
                let (event_type, effect) = (event_type.clone(), one.effect);
                rows.push(Row { event_type, effect, latencies: Latencies::default() });
                rows.len() - 1
            });
            rows[index].latencies.0[one.class] += 1;
            let newest = buckets.last_key_value().map_or(one.at, |(newest, _)| *newest);
            while let Some(oldest) = buckets.first_entry()
                && newest.since(*oldest.key()) > resolution.kept()
            {
                oldest.remove();
            }
        }
    }
}
