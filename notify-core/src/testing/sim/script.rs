//! How a receiver behaves, and what one attempt meets there.

use std::time::Duration;

use bytes::Bytes;

use crate::delivery::{Reason, Response, SendFailure};
use crate::transport::Request;

use super::rng::Rng;

/// A receiver's habit, for a while.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Habit {
    /// Answers 200 at once.
    Good,
    /// Fails in so many of a thousand cases, in any way.
    Flaky(u32),
    /// Nobody listens.
    Refuses,
    /// The name does not resolve.
    Unknown,
    /// Never answers.
    Hangs,
    /// Answers 200 after so many milliseconds; after the deadline nobody hears it.
    Slow(u32),
    /// Answers with this status.
    Status(u16),
    /// Answers 200, and the body breaks off.
    CutBody,
    /// Takes the request and breaks the connection.
    Resets,
    /// The transport panics.
    Panics,
    /// The transport forgets its deadline.
    Deaf,
    /// Answers with this status and sends back all it got.
    Echoes(u16),
}

impl Habit {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Flaky(_) => "flaky",
            Self::Refuses => "refuses",
            Self::Unknown => "unknown",
            Self::Hangs => "hangs",
            Self::Slow(_) => "slow",
            Self::Status(_) => "status",
            Self::CutBody => "cut body",
            Self::Resets => "resets",
            Self::Panics => "panics",
            Self::Deaf => "deaf",
            Self::Echoes(_) => "echoes",
        }
    }

    pub(super) fn draw(rng: &mut Rng) -> Self {
        const STATUSES: [u16; 12] = [200, 201, 202, 204, 301, 302, 400, 401, 410, 429, 500, 503];
        match rng.below(16) {
            0..4 => Self::Good,
            4 => Self::Flaky(100),
            5 => Self::Flaky(700),
            6 => Self::Refuses,
            7 => Self::Unknown,
            8 => Self::Hangs,
            9 => Self::Slow(u32::try_from(rng.spread(100, 40_000)).unwrap_or(100)),
            10 | 11 => Self::Status(*rng.pick(&STATUSES)),
            12 => Self::CutBody,
            13 => Self::Resets,
            14 => {
                if rng.chance(500) {
                    Self::Panics
                } else {
                    Self::Deaf
                }
            }
            _ => Self::Echoes(*rng.pick(&STATUSES)),
        }
    }
}

/// What becomes of one attempt.
#[derive(Clone, Debug)]
pub(super) struct Meeting {
    /// How long until the sender knows.
    pub(super) after: Duration,
    /// What it knows then; `None`: the transport panicked.
    pub(super) reply: Option<Result<Response, SendFailure>>,
    /// Whether the receiver took the event in with a 200.
    pub(super) accepted: bool,
}

/// What `request` meets at a receiver with this habit. `overtime`: how much later than the deadline the engine cuts a
/// transport off that forgets it.
pub(super) fn meet(habit: Habit, request: &Request, overtime: Duration, rng: &mut Rng) -> Meeting {
    let timeout = request.timeout;
    let quick = Duration::from_millis(rng.below(80)).min(timeout);
    let failed = |reason: Reason, after: Duration| Meeting {
        after,
        reply: Some(Err(SendFailure::new(reason, "simulated"))),
        accepted: false,
    };
    let answered = |status: u16, after: Duration| Meeting {
        after,
        reply: Some(Ok(Response::new(status))),
        accepted: status == 200,
    };
    match habit {
        Habit::Good => answered(200, quick),
        Habit::Flaky(often) if !rng.chance(often) => answered(200, quick),
        Habit::Flaky(_) => match rng.below(4) {
            0 => answered(503, quick),
            1 => failed(Reason::Reset, quick),
            2 => failed(Reason::Tls, quick),
            _ => failed(Reason::ConnectTimeout, timeout),
        },
        Habit::Refuses => failed(Reason::ConnectRefused, quick),
        Habit::Unknown => failed(Reason::Dns, quick),
        Habit::Hangs => failed(Reason::ResponseTimeout, timeout),
        Habit::Slow(millis) => {
            let after = Duration::from_millis(u64::from(millis));
            // It did take it in; the sender has gone.
            if after > timeout {
                Meeting { accepted: true, ..failed(Reason::ResponseTimeout, timeout) }
            } else {
                answered(200, after)
            }
        }
        Habit::Status(status) => {
            let mut meeting = answered(status, quick);
            if let Some(Ok(response)) = meeting.reply.as_mut().filter(|_| status / 100 == 3) {
                response.location = Some("https://elsewhere.example/?token=x".into());
            }
            meeting
        }
        Habit::CutBody => {
            let mut meeting = answered(200, quick);
            if let Some(Ok(response)) = &mut meeting.reply {
                response.truncated = true;
            }
            meeting
        }
        Habit::Resets => failed(Reason::Reset, quick),
        Habit::Panics => Meeting { after: quick, reply: None, accepted: false },
        Habit::Deaf => failed(Reason::ResponseTimeout, timeout + overtime),
        Habit::Echoes(status) => {
            let mut meeting = answered(status, quick);
            if let Some(Ok(response)) = &mut meeting.reply {
                let values: Vec<&str> = request.headers.iter().map(|header| header.value.as_str()).collect();
                response.body = Bytes::from(values.join("\n"));
            }
            meeting
        }
    }
}
