//! One row of the delivery log.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::id::{AttemptNumber, Round};
use crate::time::Timestamp;

use super::{Reason, Timing};

/// How an attempt ended.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Outcome {
    /// The receiver accepted it.
    Success,
    /// It did not, or nobody knows.
    Failure(Reason),
}

impl Outcome {
    /// The word: `success`, or the reason's.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure(reason) => reason.as_str(),
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote; `None` for another word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "success" { Some(Self::Success) } else { Reason::parse(text).map(Self::Failure) }
    }
}

/// The start of a response's body, as bytes: it may be no text at all.
#[derive(Clone, Eq, PartialEq)]
pub struct ResponseHead {
    /// The bytes.
    pub bytes: Bytes,
    /// Whether there was more.
    pub truncated: bool,
}

impl ResponseHead {
    /// The bytes as text to show: what is no UTF-8 becomes U+FFFD, but a character that the cut went through is left
    /// out.
    #[must_use]
    pub fn to_text(&self) -> String {
        let bytes = &self.bytes[..];
        let cut = bytes.utf8_chunks().last().map_or(&[][..], |chunk| chunk.invalid());
        // An error without a length: the text ends within a character.
        let within = std::str::from_utf8(cut).is_err_and(|error| error.error_len().is_none());
        let end = if self.truncated && within { bytes.len() - cut.len() } else { bytes.len() };
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    }
}

impl fmt::Debug for ResponseHead {
    /// Without the bytes: a receiver may echo the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseHead").field("length", &self.bytes.len()).field("truncated", &self.truncated).finish()
    }
}

/// One attempt, as it is logged. Append-only: numbered 1..n without gaps (S8).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attempt {
    /// Counts over all rounds.
    pub number: AttemptNumber,
    /// In which round it ran.
    pub round: Round,
    /// When it began; for a lost one, when the loss was found.
    pub started_at: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// How it ended.
    pub outcome: Outcome,
    /// The status, if an answer came.
    pub status_code: Option<u16>,
    /// What went wrong, in words for the endpoint's owner.
    pub error: Option<String>,
    /// The same for the operator: may name addresses.
    pub detail: Option<String>,
    /// The URL it went to; `None` for a lost one, which nobody saw.
    pub url: Option<Arc<str>>,
    /// The start of the answer's body.
    pub response: Option<ResponseHead>,
    /// The address that answered or was tried last.
    pub peer: Option<IpAddr>,
    /// Where its time went; `None` for one that nobody saw the end of, or whose transport does not say.
    pub timing: Option<Timing>,
}

impl Attempt {
    /// When it ended.
    #[must_use]
    pub fn ended_at(&self) -> Timestamp {
        self.started_at.saturating_add(self.duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C77: answers that were no UTF-8 broke whole listings elsewhere.
    #[test]
    fn bytes_that_are_no_text_become_text() {
        for (bytes, whole, cut) in [
            (&[0xff, 0xfe, 0, 0xc3, 0x28, 0x41][..], "\u{fffd}\u{fffd}\0\u{fffd}(A", "\u{fffd}\u{fffd}\0\u{fffd}(A"),
            ("caf\u{e9}".as_bytes(), "caf\u{e9}", "caf\u{e9}"),
            (b"a\xf0\x9f\x98", "a\u{fffd}", "a"),
            (b"\xc3", "\u{fffd}", ""),
            (b"\xffa\xf0\x9f", "\u{fffd}a\u{fffd}", "\u{fffd}a"),
            (b"", "", ""),
        ] {
            assert_eq!(ResponseHead { bytes: bytes.into(), truncated: false }.to_text(), whole, "{bytes:?}");
            assert_eq!(ResponseHead { bytes: bytes.into(), truncated: true }.to_text(), cut, "{bytes:?}");
        }
    }
}
