//! What is remembered between attempts: parsed URLs, and the places at each origin.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use notify_core::InvalidInput;
use tokio::sync::Semaphore;

use crate::guard::Guard;
use crate::target::Target;

const MAX_TARGETS: usize = 4096;

/// A URL that was taken, and the places at its origin.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) target: Target,
    /// For attempts.
    pub(crate) places: Arc<Semaphore>,
    /// For connections: as many, but a connection outlives its attempts.
    pub(crate) connections: Arc<Semaphore>,
    /// The number of its TLS profile.
    pub(crate) profile: usize,
}

/// A bounded memory of URLs. Verdicts are a pure function of text and guard, so they never go stale.
#[derive(Debug)]
pub(crate) struct Targets {
    guard: Arc<Guard>,
    places_per_origin: usize,
    /// The number of the TLS profile of a host that has one of its own.
    profiles: HashMap<Box<str>, usize>,
    known: RwLock<Maps>,
}

#[derive(Debug, Default)]
struct Maps {
    by_url: HashMap<Arc<str>, Arc<Known>>,
    places: HashMap<Box<str>, Places>,
}

#[derive(Clone, Debug)]
struct Places {
    attempts: Arc<Semaphore>,
    connections: Arc<Semaphore>,
}

impl Targets {
    pub(crate) fn new(guard: Arc<Guard>, places_per_origin: usize, profiles: HashMap<Box<str>, usize>) -> Self {
        Self { guard, places_per_origin, profiles, known: RwLock::default() }
    }

    pub(crate) const fn guard(&self) -> &Arc<Guard> {
        &self.guard
    }

    /// Whether `url` is taken; one that attempts go to already is not read again.
    pub(crate) fn check(&self, url: &str) -> Result<(), InvalidInput> {
        if self.known.read().unwrap_or_else(PoisonError::into_inner).by_url.contains_key(url) {
            return Ok(());
        }
        Target::read(url, &self.guard).map(drop)
    }

    /// The target of `url`, from memory if it is there.
    pub(crate) fn get(&self, url: &Arc<str>) -> Result<Arc<Known>, InvalidInput> {
        if let Some(known) = self.known.read().unwrap_or_else(PoisonError::into_inner).by_url.get(url) {
            return Ok(Arc::clone(known));
        }
        let target = Target::read(url, &self.guard)?;
        let mut maps = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if maps.by_url.len() >= MAX_TARGETS {
            maps.forget();
        }
        let Places { attempts: places, connections } = match maps.places.get(&target.origin) {
            Some(places) => places.clone(),
            None => {
                let of_this_host = || Arc::new(Semaphore::new(self.places_per_origin));
                let places = Places { attempts: of_this_host(), connections: of_this_host() };
                maps.places.insert(target.origin.clone(), places.clone());
                places
            }
        };
        let profile = target.uri.host().and_then(|host| self.profiles.get(host)).copied().unwrap_or_default();
        let known = Arc::new(Known { target, places, connections, profile });
        maps.by_url.insert(Arc::clone(url), Arc::clone(&known));
        Ok(known)
    }
}

impl Maps {
    /// Starts over. Places that are in use stay, so that their limit holds on.
    fn forget(&mut self) {
        self.by_url.clear();
        self.places.retain(|_, Places { attempts, connections }| {
            Arc::strong_count(attempts) > 1 || Arc::strong_count(connections) > 1
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_one_origin_share_their_places_and_memory_is_bounded() {
        let targets = Targets::new(Arc::default(), 2, HashMap::new());
        let url = |n: usize| Arc::from(format!("https://h.example.com/{n}"));
        let first = targets.get(&url(0)).unwrap();
        for n in 1..=MAX_TARGETS {
            let next = targets.get(&url(n)).unwrap();
            assert!(Arc::ptr_eq(&first.places, &next.places), "{n}");
        }
        assert!(targets.known.read().unwrap().by_url.len() <= MAX_TARGETS);
    }
}
