//! Short words for what tests say often.

use std::time::Duration;

use crate::delivery::{Reason, Response};

use super::Reply;

/// This status, with an empty body.
#[must_use]
pub const fn status(code: u16) -> Reply {
    Reply::Status(code)
}

/// This status with this body.
#[must_use]
pub fn answer(code: u16, body: impl Into<bytes::Bytes>) -> Reply {
    let mut response = Response::new(code);
    response.body = body.into();
    Reply::Response(response)
}

/// No answer until the attempt's deadline, which passes on the test's clock.
#[must_use]
pub const fn timeout() -> Reply {
    Reply::Timeout
}

/// Nobody listens there.
#[must_use]
pub const fn refused() -> Reply {
    Reply::Failure(Reason::ConnectRefused)
}

/// So many seconds from now.
#[must_use]
pub const fn in_seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// So many minutes from now.
#[must_use]
pub const fn in_minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

/// So many hours from now.
#[must_use]
pub const fn in_hours(count: u64) -> Duration {
    Duration::from_secs(count * 3600)
}
