//! What an event is for.

/// What an event is for. It changes nothing about how the event is signed, sent, retried and logged.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Purpose {
    /// It tells of something that happened.
    #[default]
    Live,
    /// Somebody tries an endpoint: a ping.
    Test,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Live, Self::Test];

    /// The word for stores, APIs and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote; `None` for another word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::parse(purpose.as_str()), Some(purpose));
        }
        assert_eq!(Purpose::parse("Live"), None);
    }
}
