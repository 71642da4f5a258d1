//! What came back from an attempt, in one of six classes.

use super::{Outcome, Reason};

/// What came back from an attempt.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ResponseClass {
    /// A 2xx, whether or not the endpoint's rule takes it for a success.
    Status2xx,
    /// A 3xx.
    Status3xx,
    /// A 4xx.
    Status4xx,
    /// A 5xx.
    Status5xx,
    /// Any other status.
    StatusOther,
    /// No answer that anybody saw.
    NoAnswer,
}

impl ResponseClass {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Status2xx, Self::Status3xx, Self::Status4xx, Self::Status5xx, Self::StatusOther, Self::NoAnswer];

    /// The class of an attempt that ended so.
    #[must_use]
    pub const fn of(outcome: Outcome) -> Self {
        let reason = match outcome {
            Outcome::Success => return Self::Status2xx,
            Outcome::Failure(reason) => reason,
        };
        match reason {
            Reason::Status2xxNot200 => Self::Status2xx,
            Reason::RedirectRefused => Self::Status3xx,
            Reason::Status4xx => Self::Status4xx,
            Reason::Status5xx => Self::Status5xx,
            Reason::StatusOther => Self::StatusOther,
            Reason::Dns
            | Reason::ConnectRefused
            | Reason::ConnectTimeout
            | Reason::Tls
            | Reason::ResponseTimeout
            | Reason::Reset
            | Reason::Protocol
            | Reason::AddressRefused
            | Reason::TransportPanic
            | Reason::Local
            | Reason::WorkerLost
            | Reason::Interrupted => Self::NoAnswer,
        }
    }

    /// The class of an attempt that was answered with this status.
    #[must_use]
    pub const fn of_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Status2xx,
            300..=399 => Self::Status3xx,
            400..=499 => Self::Status4xx,
            500..=599 => Self::Status5xx,
            _ => Self::StatusOther,
        }
    }

    /// How an attempt of this class may have ended.
    pub fn outcomes(self) -> impl Iterator<Item = Outcome> {
        let all = std::iter::once(Outcome::Success).chain(Reason::ALL.into_iter().map(Outcome::Failure));
        all.filter(move |outcome| Self::of(*outcome) == self)
    }

    /// The word for APIs and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Status2xx => "2xx",
            Self::Status3xx => "3xx",
            Self::Status4xx => "4xx",
            Self::Status5xx => "5xx",
            Self::StatusOther => "other",
            Self::NoAnswer => "no_answer",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote; `None` for another word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::Response;
    use crate::machine::classify;
    use crate::retry::SuccessRule;

    #[test]
    fn every_word_reads_back_and_every_outcome_has_one_class() {
        for class in ResponseClass::ALL {
            assert_eq!(ResponseClass::parse(class.as_str()), Some(class));
        }
        let outcomes: Vec<Outcome> = ResponseClass::ALL.into_iter().flat_map(ResponseClass::outcomes).collect();
        assert_eq!(outcomes.len(), Reason::ALL.len() + 1);
    }

    #[test]
    fn a_status_is_of_the_class_of_its_first_digit_under_either_rule() {
        for rule in [SuccessRule::Exactly200, SuccessRule::Any2xx] {
            for status in 100..=999 {
                let class = ResponseClass::of(classify(Ok(Response::new(status)), rule).outcome);
                let expected = match status / 100 {
                    2 => ResponseClass::Status2xx,
                    3 => ResponseClass::Status3xx,
                    4 => ResponseClass::Status4xx,
                    5 => ResponseClass::Status5xx,
                    _ => ResponseClass::StatusOther,
                };
                assert_eq!((class, ResponseClass::of_status(status)), (expected, expected), "{status}");
            }
        }
    }
}
