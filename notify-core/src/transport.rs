//! The promise of a transport: one request, one reply.

use std::fmt::{self, Debug};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::input::InvalidInput;
use crate::sign::Header;

pub use crate::delivery::{Response, SendFailure};

/// One attempt's request: always a POST.
///
/// `Debug` shows neither header values nor the body.
#[derive(Clone)]
#[non_exhaustive]
pub struct Request {
    /// Where to, as registered.
    pub url: Arc<str>,
    /// Signature headers and the endpoint's own. The transport adds `content-type: application/json`,
    /// `content-length`, `host` and `user-agent`. Values may be credentials.
    pub headers: Vec<Header>,
    /// The body: these bytes and no others.
    pub body: Bytes,
    /// The whole attempt's deadline: name, connection, TLS, writing, head and body.
    pub timeout: Duration,
}

impl Request {
    /// A POST of `body` to `url`.
    #[must_use]
    pub const fn new(url: Arc<str>, headers: Vec<Header>, body: Bytes, timeout: Duration) -> Self {
        Self { url, headers, body, timeout }
    }
}

impl Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("url", &self.url)
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .field("timeout", &self.timeout)
            .finish()
    }
}

/// Makes requests. Knows no policy: it neither repeats, nor follows, nor judges a status.
#[async_trait]
pub trait Transport: Debug + Send + Sync + 'static {
    /// Whether attempts to `url` can be made at all, without any IO: asked when an endpoint is registered or
    /// changed, and before each attempt.
    ///
    /// # Errors
    /// The field `url`, and why it is refused.
    fn check(&self, url: &str) -> Result<(), InvalidInput>;

    /// Makes exactly one request and brings back its reply.
    ///
    /// A transport that measures where the time goes says so in [`Response::timing`] and [`SendFailure::timing`]: the
    /// parts that ended, whose sum is at most the time that the call took.
    ///
    /// # Errors
    /// No complete response head came back. The receiver may have got the request all the same.
    ///
    /// # Cancel safety
    /// A dropped call may have sent the request. The engine drops one that outlives its deadline.
    async fn send(&self, request: Request) -> Result<Response, SendFailure>;
}
