//! The transport: one attempt, one request, one deadline.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{LOCATION, RETRY_AFTER};
use http_body_util::Full;
use hyper::body::Body as _;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use notify_core::InvalidInput;
use notify_core::delivery::{Part, Reason, Response, SendFailure, Timing};
use notify_core::retry::RetryAfter;
use notify_core::transport::{Request, Transport};
use tokio::time::{Instant, timeout_at};

use crate::allowance::Waiting;
use crate::body;
use crate::builder::HttpTransportBuilder;
use crate::connector::{Connector, info_of};
use crate::error::HttpBuildError;
use crate::failure;
use crate::outgoing;
use crate::progress::{Phase, Progress};
use crate::stream::{Carries, ConnectionInfo};
use crate::targets::Targets;

/// Shorter than the keep-alive of common servers (5 s and up): a request on a connection that the receiver is just
/// closing would be a failed attempt, since it is never repeated.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);
/// The head of a response, roughly: hyper looks after each read, and a read may bring as much again.
const MAX_HEAD: usize = 64 * 1024;
const MAX_HEAD_HTTP2: u32 = 16 * 1024;
/// What an HTTP/2 receiver may push at us unread: a stream's share, and the connection's.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
const MAX_LOCATION: usize = 2048;

/// Sends webhooks over HTTPS; see the [crate's documentation](crate) for what it promises.
///
/// One transport serves any number of endpoints and engines; its connections are kept and shared.
pub struct HttpTransport {
    targets: Targets,
    /// One for each TLS profile, so that no connection made with one identity carries another's attempts; the first
    /// is everybody else's.
    clients: Vec<Client<Connector, Full<Bytes>>>,
    connection_max_age: Duration,
}

impl HttpTransport {
    /// A transport for production: https to public addresses, Mozilla's roots.
    ///
    /// # Errors
    /// As [`HttpTransportBuilder::build`].
    pub fn new() -> Result<Self, HttpBuildError> {
        Self::builder().build()
    }

    /// Everything that can be chosen.
    pub fn builder() -> HttpTransportBuilder {
        HttpTransportBuilder::default()
    }

    /// `targets` says which of `connectors` serves a host.
    pub(crate) fn assemble(
        targets: Targets,
        connectors: Vec<Connector>,
        connections_per_host: usize,
        connection_max_age: Duration,
    ) -> Self {
        let mut builder = Client::builder(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(connections_per_host)
            // The default sends a request again when a kept connection turns out to be closed: an attempt is one
            // request.
            .retry_canceled_requests(false)
            // The count of header lines is left at hyper's 100: setting it moves them to the heap.
            .http1_max_buf_size(MAX_HEAD)
            .http2_max_header_list_size(MAX_HEAD_HTTP2)
            .http2_initial_stream_window_size(STREAM_WINDOW)
            .http2_initial_connection_window_size(CONNECTION_WINDOW);
        let clients = connectors.into_iter().map(|connector| builder.build(connector)).collect();
        Self { targets, clients, connection_max_age }
    }
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport").field("guard", self.targets.guard()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Transport for HttpTransport {
    fn check(&self, url: &str) -> Result<(), InvalidInput> {
        self.targets.check(url)
    }

    async fn send(&self, request: Request) -> Result<Response, SendFailure> {
        let timeout = request.timeout;
        let deadline = Instant::now().checked_add(timeout).unwrap_or_else(far_future);
        let known = self
            .targets
            .get(&request.url)
            .map_err(|refused| SendFailure::new(Reason::AddressRefused, refused.to_string()))?;
        let client = &self.clients[known.profile];
        let mut outgoing = outgoing::build(known.target.uri.clone(), request)?;
        let connection = capture_connection(&mut outgoing);
        let progress = Arc::new(Progress::new(Arc::clone(&known.connections)));
        let exchange = async {
            let place = known.places.acquire().await;
            progress.enter(Phase::Connection);
            let mut response = pin!(client.request(outgoing));
            let mut waiting = None;
            let head = poll_fn(|cx| {
                let polled = response.as_mut().poll(cx);
                if waiting.is_none() {
                    waiting = self.begin(&connection);
                }
                polled
            })
            .await;
            (place, waiting, head)
        };
        let exchange = Arc::clone(&progress).scope(exchange);
        let Ok((_place, waiting, head)) = timeout_at(deadline, exchange).await else {
            let timing = timing(&progress, &connection);
            return Err(missed(timeout, &progress, &connection).timed(timing));
        };
        let timing = timing(&progress, &connection);
        match head {
            Ok(head) => {
                let first_byte = waiting.as_ref().map(Waiting::elapsed);
                let mut response = self.receive(head, &connection, deadline).await;
                response.timing = Some(first_byte.map_or(timing, |length| timing.with(Part::FirstByte, length)));
                Ok(response)
            }
            Err(error) => {
                retire(&connection);
                let failure = failure::exchange(&error, info_of_captured(&connection));
                // One that is closed at once is found out before it counts as this attempt's.
                let peer = failure.peer.or_else(|| progress.peer());
                Err(failure.at(peer).timed(timing))
            }
        }
    }
}

impl HttpTransport {
    /// Once the attempt has its connection: brings in what its answer may cost, and sees to it that a connection past
    /// its age gets no further attempt, even if no answer ever comes over it. `None` if there is no connection yet.
    fn begin(&self, connection: &CaptureConnection) -> Option<Waiting> {
        let info = info_of_captured(connection)?;
        let waiting = info.allowance.begin_attempt();
        if info.since.elapsed() >= self.connection_max_age {
            retire(connection);
        }
        Some(waiting)
    }

    /// The head is here, so the attempt has its answer, whatever becomes of the body.
    async fn receive(
        &self,
        head: http::Response<hyper::body::Incoming>,
        connection: &CaptureConnection,
        deadline: Instant,
    ) -> Response {
        let mut response = Response::new(head.status().as_u16());
        if let Some(info) = head.extensions().get::<ConnectionInfo>() {
            response.peer = Some(info.peer);
            if info.since.elapsed() >= self.connection_max_age {
                retire(connection);
            }
        }
        if head.status().is_redirection() {
            response.location = head.headers().get(LOCATION).map(|value| {
                let value = value.as_bytes();
                String::from_utf8_lossy(&value[..value.len().min(MAX_LOCATION)]).into_owned()
            });
        }
        response.retry_after = retry_after(head.headers());
        let body = head.into_body();
        if !body.is_end_stream() {
            // Boxed: the future of an attempt without a body, the common one, stays small.
            (response.body, response.truncated) = Box::pin(body::read(body, deadline)).await;
        }
        response
    }
}

/// Two of them contradict each other, or somebody in between added one: then none counts.
fn retry_after(headers: &HeaderMap) -> Option<RetryAfter> {
    let mut values = headers.get_all(RETRY_AFTER).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    RetryAfter::parse(value.to_str().ok()?)
}

/// Keeps a connection from being used again: it is too old, or it failed (a dead HTTP/2 connection would else take
/// attempt after attempt down with it).
fn retire(connection: &CaptureConnection) {
    if let Some(connected) = connection.connection_metadata().as_ref() {
        connected.poison();
    }
}

fn info_of_captured(connection: &CaptureConnection) -> Option<ConnectionInfo> {
    connection.connection_metadata().as_ref().and_then(info_of)
}

/// Where the attempt's time went until it had its connection, or until now if it has none.
fn timing(progress: &Arc<Progress>, connection: &CaptureConnection) -> Timing {
    info_of_captured(connection).map_or_else(|| progress.timing(), |info| info.timing(progress))
}

/// The failure of an attempt whose deadline passed before a head came, and the end of its connection.
fn missed(timeout: Duration, progress: &Progress, connection: &CaptureConnection) -> SendFailure {
    let Some(info) = info_of_captured(connection) else { return progress.missed(timeout) };
    retire(connection);
    if info.carries == Carries::One {
        // Else the request would wait on for a receiver that reads nothing.
        info.allowance.give_up();
    }
    SendFailure::new(Reason::ResponseTimeout, format!("no complete head within {timeout:?}")).at(Some(info.peer))
}

/// A century: tokio's clock cannot hold `Duration::MAX`.
fn far_future() -> Instant {
    Instant::now() + Duration::from_secs(60 * 60 * 24 * 36_500)
}
