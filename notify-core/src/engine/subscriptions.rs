//! Who wants an event type, remembered for a second.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::endpoint::Endpoint;
use crate::id::{EventType, TenantId};

const FRESH_FOR: Duration = Duration::from_secs(1);
const MAX_ENTRIES: usize = 1024;

/// A cache over the directory's `subscribed`. What is behind by up to a second only decides whether a delivery is
/// written at all or born held: before each attempt the endpoint is read anew.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    entries: BTreeMap<(TenantId, EventType), Entry>,
    generation: u64,
}

#[derive(Debug)]
struct Entry {
    read_at: Duration,
    endpoints: Arc<[Arc<Endpoint>]>,
}

impl Subscriptions {
    pub(super) fn get(&self, of: &(TenantId, EventType), monotonic: Duration) -> Option<Arc<[Arc<Endpoint>]>> {
        let entry = self.entries.get(of)?;
        (monotonic.saturating_sub(entry.read_at) < FRESH_FOR).then(|| Arc::clone(&entry.endpoints))
    }

    /// To be taken before a read and given back with its answer.
    pub(super) const fn generation(&self) -> u64 {
        self.generation
    }

    /// Remembers an answer, unless an endpoint was written since the read began.
    pub(super) fn put(
        &mut self,
        of: (TenantId, EventType),
        endpoints: &Arc<[Arc<Endpoint>]>,
        read_at: Duration,
        generation: u64,
    ) {
        if generation != self.generation {
            return;
        }
        if self.entries.len() >= MAX_ENTRIES && !self.entries.contains_key(&of) {
            self.entries.clear();
        }
        self.entries.insert(of, Entry { read_at, endpoints: Arc::clone(endpoints) });
    }

    /// This engine wrote an endpoint: its own changes act at once.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.generation += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_was_under_way_during_a_change_is_not_remembered() {
        let mut cache = Subscriptions::default();
        let of = || (TenantId::default(), "a.b".parse().unwrap());
        let none: Arc<[Arc<Endpoint>]> = Vec::new().into();
        let before = cache.generation();
        cache.clear();
        cache.put(of(), &none, Duration::ZERO, before);
        assert!(cache.get(&of(), Duration::ZERO).is_none());
        cache.put(of(), &none, Duration::ZERO, cache.generation());
        assert!(cache.get(&of(), Duration::from_millis(999)).is_some());
        assert!(cache.get(&of(), FRESH_FOR).is_none());
    }
}
