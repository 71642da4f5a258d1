//! The receivers: three endpoints on loopback that verify every request, whatever they answer.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use notify_core::sign::{NOTIFY_SIGNATURE, StandardHeaders, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP};
use notify_core::{EndpointId, Secret, Timestamp, Verifier, delivery};
use tokio::net::TcpListener;

/// How a receiver answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Behaviour {
    /// 200, always.
    Steady,
    /// 503, 503, 200 for each event.
    Flaky,
    /// 500, always.
    Down,
}

/// What the receivers saw.
#[derive(Debug, Default)]
pub(super) struct Receivers {
    by_endpoint: BTreeMap<EndpointId, Arc<Receiver>>,
}

#[derive(Debug)]
pub(super) struct Receiver {
    pub(super) behaviour: Behaviour,
    verifier: Verifier,
    seen: Mutex<Seen>,
}

/// Counts of requests.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// By event.
    requests: BTreeMap<String, u32>,
    /// Over all events.
    pub(super) verified: u32,
    /// Over all events.
    pub(super) refused: u32,
}

impl Behaviour {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Flaky => "flaky",
            Self::Down => "down",
        }
    }

    /// How a delivery to it must end, and after how many attempts.
    pub(super) const fn expected(self) -> (delivery::State, u32) {
        match self {
            Self::Steady => (delivery::State::Delivered, 1),
            Self::Flaky => (delivery::State::Delivered, 3),
            Self::Down => (delivery::State::Failed, 6),
        }
    }

    const fn answer(self, request: u32) -> StatusCode {
        match (self, request) {
            (Self::Steady, _) | (Self::Flaky, 3..) => StatusCode::OK,
            (Self::Flaky, _) => StatusCode::SERVICE_UNAVAILABLE,
            (Self::Down, _) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl Receivers {
    /// Serves on `listener` for as long as the process lives.
    pub(super) fn start(&mut self, behaviour: Behaviour, listener: TcpListener, endpoint: EndpointId, secret: Secret) {
        let verifier = Verifier::new([secret]);
        let receiver = Arc::new(Receiver { behaviour, verifier, seen: Mutex::default() });
        self.by_endpoint.insert(endpoint, Arc::clone(&receiver));
        let app = Router::new().route("/hook", post(hook)).with_state(receiver);
        tokio::spawn(async move { axum::serve(listener, app).await });
    }

    pub(super) fn of(&self, endpoint: &EndpointId) -> Option<&Receiver> {
        self.by_endpoint.get(endpoint).map(|receiver| &**receiver)
    }

    /// Verified and refused requests over all receivers.
    pub(super) fn totals(&self) -> (u32, u32) {
        let seen = self.by_endpoint.values().map(|receiver| receiver.seen());
        seen.fold((0, 0), |(verified, refused), seen| (verified + seen.verified, refused + seen.refused))
    }
}

impl Receiver {
    pub(super) fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What every receiver should do: check both signatures over the body's bytes as they came.
    fn verifies(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let standard = StandardHeaders {
            id: header(WEBHOOK_ID),
            timestamp: header(WEBHOOK_TIMESTAMP),
            signature: header(WEBHOOK_SIGNATURE),
        };
        let now = Timestamp::from(SystemTime::now());
        self.verifier.verify(body, header(NOTIFY_SIGNATURE)).is_ok()
            && self.verifier.verify_standard(body, standard, now).is_ok()
    }
}

/// Listens for `who` on `port` of loopback, or on a free one if that is taken.
pub(super) async fn bind(who: &str, port: u16) -> io::Result<TcpListener> {
    match TcpListener::bind(("127.0.0.1", port)).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            println!("port {port} is taken: {} listens on {}", who, listener.local_addr()?.port());
            Ok(listener)
        }
        other => other,
    }
}

async fn hook(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let verified = receiver.verifies(&headers, &body);
    let event = headers.get(WEBHOOK_ID).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let mut seen = receiver.seen.lock().unwrap_or_else(PoisonError::into_inner);
    if !verified {
        seen.refused += 1;
        return StatusCode::UNAUTHORIZED;
    }
    seen.verified += 1;
    let request = seen.requests.entry(event).or_default();
    *request += 1;
    receiver.behaviour.answer(*request)
}
