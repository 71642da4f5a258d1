//! The event types that the host registered.

use std::collections::BTreeMap;

use crate::event::EventPayload;
use crate::id::EventType;

/// Event types with an example of each. Open by default: any well-formed type may be published.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    entries: BTreeMap<EventType, CatalogueEntry>,
    closed: bool,
}

/// One registered event type.
#[derive(Clone, Debug)]
pub struct CatalogueEntry {
    /// The type.
    pub event_type: EventType,
    /// Its example's `data`, as JSON.
    pub example: String,
}

impl Catalogue {
    /// The entries, in order of type.
    pub fn entries(&self) -> impl Iterator<Item = &CatalogueEntry> {
        self.entries.values()
    }

    /// Whether `event_type` may be published.
    #[must_use]
    pub fn allows(&self, event_type: &EventType) -> bool {
        !self.closed || self.entries.contains_key(event_type)
    }

    /// The registered type that `event_type` may have meant: one or two letters away.
    #[must_use]
    pub fn nearest(&self, event_type: &EventType) -> Option<&EventType> {
        let near = self.entries.keys().map(|known| (distance(known.as_str(), event_type.as_str()), known));
        near.filter(|(distance, _)| *distance <= 2).min().map(|(_, known)| known)
    }

    pub(super) fn add<P: EventPayload>(&mut self) -> Result<(), String> {
        let event_type: EventType =
            P::NAME.parse().map_err(|_| format!("event type {:?}: use words of a-z 0-9 _ joined by dots", P::NAME))?;
        let example = serde_json::to_string(&P::example())
            .map_err(|_| format!("event type {:?}: its example cannot be serialised as JSON", P::NAME))?;
        self.entries.insert(event_type.clone(), CatalogueEntry { event_type, example });
        Ok(())
    }

    pub(super) const fn close(&mut self) {
        self.closed = true;
    }
}

/// Edits between two short words; swapping two neighbours counts as two.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{ConnectionCreated, ConnectionUpdated};

    #[test]
    fn a_misspelt_type_finds_its_neighbour() {
        let mut catalogue = Catalogue::default();
        catalogue.add::<ConnectionCreated>().unwrap();
        catalogue.add::<ConnectionUpdated>().unwrap();
        let near = |text: &str| catalogue.nearest(&text.parse().unwrap()).map(EventType::as_str);
        assert_eq!(near("connection.udpated"), Some("connection.updated"));
        assert_eq!(near("invoice.paid"), None);
    }

    #[test]
    fn only_a_closed_catalogue_refuses() {
        let mut catalogue = Catalogue::default();
        let stranger = "a.b".parse().unwrap();
        assert!(catalogue.allows(&stranger));
        catalogue.close();
        assert!(!catalogue.allows(&stranger));
    }
}
