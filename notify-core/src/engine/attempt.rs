//! One attempt: sign, send, judge.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::delivery::Reason;
use crate::dispatch::{DispatchInput, Finished, SendOrder};
use crate::endpoint::Endpoint;
use crate::machine::{Verdict, classify};
use crate::observe::Observation;
use crate::retry::Policy;
use crate::sign::{Header, signed_headers};
use crate::time::Timestamp;
use crate::transport::{Request, Response, SendFailure};

use super::shared::{RunNumber, Shared};

/// A transport keeps its own deadline, and knows better why it was missed; one that does not is cut off this much
/// later, well within the lease's margin.
pub(crate) const OVERTIME: Duration = Duration::from_secs(1);

/// Shorter values would blacken half the answer.
const SHORTEST_SCRUBBED: usize = 6;

pub(super) async fn attempt(shared: Arc<Shared>, run: RunNumber, order: Box<SendOrder>) {
    let started_at = shared.now();
    let mut end = End::new(shared, run, &order, started_at);
    let reply = send(&end.shared, &order, started_at).await;
    end.verdict = Some(judged(reply, &order.endpoint, &end.shared.config.policy));
}

/// The signed request of an attempt that begins at `now`.
pub(crate) fn signed_request(order: &SendOrder, now: Timestamp) -> Request {
    let endpoint = &order.endpoint;
    let mut headers = signed_headers(&endpoint.secrets, &order.event.key.id, now, &order.event.body);
    headers.extend(
        endpoint
            .headers
            .iter()
            .map(|header| Header { name: header.name().to_owned().into(), value: header.expose_value().to_owned() }),
    );
    Request::new(endpoint.url.shared(), headers, order.event.body.clone(), order.timeout)
}

/// What a reply means, without what the receiver echoed of its secrets.
pub(crate) fn judged(reply: Result<Response, SendFailure>, endpoint: &Endpoint, engine: &Policy) -> Verdict {
    let reply = reply.map(|mut response| {
        response.body = scrub(response.body, endpoint);
        response.location = response.location.map(|location| {
            let clean = scrub(location.into_bytes().into(), endpoint);
            String::from_utf8_lossy(&clean).into_owned()
        });
        response
    });
    classify(reply, endpoint.policy.success.unwrap_or(engine.success))
}

async fn send(shared: &Shared, order: &SendOrder, now: Timestamp) -> Result<Response, SendFailure> {
    let endpoint = &order.endpoint;
    if let Err(refused) = shared.transport.check(endpoint.url.as_str()) {
        return Err(SendFailure::new(Reason::AddressRefused, refused.to_string()));
    }
    tokio::select! {
        biased;
        reply = shared.transport.send(signed_request(order, now)) => reply,
        () = shared.clock.sleep(order.timeout + OVERTIME) => {
            Err(SendFailure::new(Reason::ResponseTimeout, "the transport did not keep its deadline"))
        }
    }
}

/// Says how the attempt ended when it is dropped: also after a panic of the transport, and when it is cut off.
struct End {
    shared: Arc<Shared>,
    run: RunNumber,
    delivery: crate::id::DeliveryId,
    endpoint: Arc<Endpoint>,
    started_at: Timestamp,
    since: Duration,
    verdict: Option<Verdict>,
}

impl End {
    fn new(shared: Arc<Shared>, run: RunNumber, order: &SendOrder, started_at: Timestamp) -> Self {
        Self {
            since: shared.clock.monotonic(),
            delivery: order.delivery,
            endpoint: Arc::clone(&order.endpoint),
            started_at,
            verdict: None,
            shared,
            run,
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let duration = self.shared.clock.monotonic().saturating_sub(self.since);
        let verdict = self.verdict.take().unwrap_or_else(|| {
            // The transport did not come back.
            let panicked = std::thread::panicking();
            Verdict::of_reason(if panicked { Reason::TransportPanic } else { Reason::Interrupted })
        });
        self.shared.observe(&Observation::AttemptFinished {
            delivery: self.delivery,
            endpoint: &self.endpoint.id,
            outcome: verdict.outcome,
            status_code: verdict.status_code,
            duration,
        });
        let finished = Finished { delivery: self.delivery, started_at: self.started_at, duration, verdict };
        self.shared.push(self.run, DispatchInput::Finished(Box::new(finished)));
    }
}

/// A receiver may echo what it got: secrets and the values of custom headers do not go into the log.
fn scrub(body: Bytes, endpoint: &Endpoint) -> Bytes {
    if body.is_empty() || planted!(SentBackIsLogged) {
        return body;
    }
    let secrets = endpoint.secrets.iter().map(|stored| stored.secret.expose().as_bytes());
    let values = endpoint.headers.iter().map(|header| header.expose_value().as_bytes());
    secrets.chain(values).filter(|needle| needle.len() >= SHORTEST_SCRUBBED).fold(body, blacken)
}

fn blacken(body: Bytes, needle: &[u8]) -> Bytes {
    let found = |bytes: &[u8]| bytes.windows(needle.len()).position(|window| window == needle);
    if found(&body).is_none() {
        return body;
    }
    let (mut clean, mut rest) = (Vec::with_capacity(body.len()), &body[..]);
    while let Some(index) = found(rest) {
        clean.extend_from_slice(&rest[..index]);
        clean.extend_from_slice(b"[redacted]");
        rest = &rest[index + needle.len()..];
    }
    clean.extend_from_slice(rest);
    clean.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_occurrence_is_blackened_and_nothing_else() {
        let body = Bytes::from_static(b"you sent Bearer canary twice: Bearer canary\xff\xfe.");
        assert_eq!(blacken(body, b"Bearer canary"), &b"you sent [redacted] twice: [redacted]\xff\xfe."[..]);
        assert_eq!(blacken(Bytes::from_static(b"nothing"), b"canary"), &b"nothing"[..]);
    }
}
