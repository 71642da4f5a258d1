//! Event types and the filters over them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

const MAX_TYPE: usize = 128;
const MAX_PATTERNS: usize = 256;

/// `<payload type>.<what happened>`, such as `connection.created`: two or more words of `a-z 0-9 _` joined by
/// dots, at most 128 characters. The first word names the payload type.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventType(Arc<str>);

impl EventType {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for EventType {
    type Err = InvalidEventType;

    fn from_str(text: &str) -> Result<Self, InvalidEventType> {
        if text.len() > MAX_TYPE || text.split('.').count() < 2 || !text.split('.').all(is_word) {
            return Err(InvalidEventType);
        }
        Ok(Self(Arc::from(text)))
    }
}

impl TryFrom<String> for EventType {
    type Error = InvalidEventType;

    fn try_from(text: String) -> Result<Self, InvalidEventType> {
        text.parse()
    }
}

impl From<EventType> for String {
    fn from(event_type: EventType) -> Self {
        event_type.as_str().to_owned()
    }
}

/// The text is no event type.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "not an event type: two or more words of a-z 0-9 _ joined by dots, at most 128 characters, like connection.created"
)]
pub struct InvalidEventType;

/// Which event types an endpoint wants.
///
/// A pattern is an exact type, `a.*` (every type that begins with `a.`, at any depth), or `*` (all). An
/// endpoint without a filter wants all; an empty list is refused, since it would mean nothing at all.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Option<Vec<String>>", into = "Option<Vec<String>>")]
pub struct EventFilter(Option<Arc<[Pattern]>>);

impl EventFilter {
    /// Wants every event: the same as [`EventFilter::default`].
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Wants what any of `patterns` matches.
    ///
    /// # Errors
    /// The list is empty, has more than 256 patterns, or one of them is malformed.
    pub fn new<I>(patterns: I) -> Result<Self, InvalidEventFilter>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        // Taken bounded: the list may come from a stranger.
        let patterns = patterns.into_iter().take(MAX_PATTERNS + 1).map(|pattern| pattern.as_ref().parse());
        let patterns = patterns.collect::<Result<Vec<Pattern>, _>>()?;
        if patterns.is_empty() || patterns.len() > MAX_PATTERNS {
            return Err(InvalidEventFilter::Length);
        }
        Ok(Self(Some(patterns.into())))
    }

    /// Whether an event of `event_type` is wanted.
    #[must_use]
    pub fn matches(&self, event_type: &EventType) -> bool {
        self.0.as_ref().is_none_or(|patterns| patterns.iter().any(|pattern| pattern.matches(event_type)))
    }

    /// The patterns as text; `None` when there is no filter.
    #[must_use]
    pub fn patterns(&self) -> Option<Vec<String>> {
        self.0.as_ref().map(|patterns| patterns.iter().map(ToString::to_string).collect())
    }
}

impl TryFrom<Option<Vec<String>>> for EventFilter {
    type Error = InvalidEventFilter;

    fn try_from(patterns: Option<Vec<String>>) -> Result<Self, InvalidEventFilter> {
        patterns.map_or_else(|| Ok(Self::all()), Self::new)
    }
}

impl From<EventFilter> for Option<Vec<String>> {
    fn from(filter: EventFilter) -> Self {
        filter.patterns()
    }
}

/// The list of patterns is no filter.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidEventFilter {
    /// Empty, or too long.
    #[error("an event filter has 1 to 256 patterns; leave it out to get every event")]
    Length,
    /// One pattern is malformed.
    #[error("{pattern:?} is no event pattern: use an exact type, a prefix like connection.*, or *")]
    Pattern {
        /// The pattern, cut at 64 characters.
        pattern: String,
    },
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Pattern {
    All,
    /// With its final dot: `connection.`
    Under(Arc<str>),
    Exactly(EventType),
}

impl Pattern {
    fn matches(&self, event_type: &EventType) -> bool {
        match self {
            Self::All => true,
            Self::Under(prefix) => event_type.as_str().starts_with(&**prefix),
            Self::Exactly(exact) => exact == event_type,
        }
    }
}

impl FromStr for Pattern {
    type Err = InvalidEventFilter;

    fn from_str(text: &str) -> Result<Self, InvalidEventFilter> {
        if text == "*" {
            return Ok(Self::All);
        }
        if let Some(prefix) = text.strip_suffix(".*") {
            if text.len() <= MAX_TYPE && prefix.split('.').all(is_word) {
                return Ok(Self::Under(Arc::from(format!("{prefix}."))));
            }
        } else if let Ok(exact) = text.parse() {
            return Ok(Self::Exactly(exact));
        }
        Err(InvalidEventFilter::Pattern { pattern: text.chars().take(64).collect() })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Under(prefix) => write!(f, "{prefix}*"),
            Self::Exactly(exact) => exact.fmt(f),
        }
    }
}

fn is_word(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event_type(text: &str) -> EventType {
        text.parse().unwrap()
    }

    #[test]
    fn an_event_type_has_two_words_or_more() {
        for good in ["connection.created", "a.b", "a_1.b.c.d", "0.0"] {
            assert!(good.parse::<EventType>().is_ok(), "{good:?}");
        }
        let long = format!("a.{}", "b".repeat(127));
        for bad in [
            "",
            "connection",
            "connection.",
            ".created",
            "a..b",
            "A.b",
            "a b.c",
            "a.b\r\nX-Evil: 1",
            "a.é",
            "a-b.c",
            "a.*",
            "*",
            &long,
            "a.b\0",
            "<b>x</b>",
        ] {
            assert!(bad.parse::<EventType>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_prefix_matches_at_any_depth_but_not_a_longer_first_word() {
        let filter = EventFilter::new(["connection.*"]).unwrap();
        assert!(filter.matches(&event_type("connection.created")));
        assert!(filter.matches(&event_type("connection.user.created")));
        assert!(!filter.matches(&event_type("connections.created")));
        assert!(!filter.matches(&event_type("user.connection")));
    }

    #[test]
    fn exact_all_and_absent() {
        assert!(EventFilter::all().matches(&event_type("a.b")));
        assert!(EventFilter::new(["*"]).unwrap().matches(&event_type("a.b")));
        let exact = EventFilter::new(["a.b", "c.d"]).unwrap();
        assert!(exact.matches(&event_type("c.d")));
        assert!(!exact.matches(&event_type("a.b.c")));
    }

    #[test]
    fn an_empty_list_and_malformed_patterns_are_refused() {
        assert_eq!(EventFilter::new(Vec::<String>::new()), Err(InvalidEventFilter::Length));
        for bad in ["", "connection", ".*", "a.*.b", "**", "*.created", "A.*", "a.*.*", "a.* "] {
            assert!(EventFilter::new([bad]).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_list_without_end_is_refused_and_not_read_to_its_end() {
        assert!(EventFilter::new(vec!["a.b"; 256]).is_ok());
        assert_eq!(EventFilter::new(std::iter::repeat("a.b")), Err(InvalidEventFilter::Length));
    }

    #[test]
    fn a_filter_survives_json() {
        for filter in [EventFilter::all(), EventFilter::new(["*", "a.*", "b.c"]).unwrap()] {
            let json = serde_json::to_string(&filter).unwrap();
            assert_eq!(serde_json::from_str::<EventFilter>(&json).unwrap(), filter, "{json}");
        }
        assert!(serde_json::from_str::<EventFilter>("[]").is_err());
    }
}
