//! Every attempt of every delivery of an event sends the same bytes and id, with a valid signature by a secret of that
//! moment, and the second of that attempt.

use std::time::Duration;

use bytes::Bytes;
use rustc_hash::FxHashMap;

use crate::id::{EndpointId, EventId};
use crate::sign::{
    NOTIFY_SIGNATURE, Secret, SecretRole, StandardHeaders, Verifier, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP,
};
use crate::transport::Request;

use super::{Found, Invariant, Kind, Known, Ledger, Seen};

#[derive(Debug, Default)]
pub(super) struct SameBytes {
    bodies: FxHashMap<EventId, Bytes>,
    /// For each endpoint the receiver's side, with the secret that it knows.
    receivers: FxHashMap<EndpointId, (Secret, Verifier)>,
}

impl Invariant for SameBytes {
    fn name(&self) -> &'static str {
        "same bytes and a valid signature"
    }

    fn watches(&self) -> &'static [Kind] {
        &[Kind::Requested]
    }

    fn see(&mut self, seen: &Seen<'_>, ledger: &Ledger, _known: Option<&Known>) -> Found {
        let Seen::Requested { sent, order, request, .. } = seen else { return Ok(()) };
        let id = &order.event.key.id;
        match self.bodies.get(id) {
            // One that was removed may be published anew.
            Some(first) if *first != request.body && !ledger.gone.contains(id) => {
                return Err(format!("event {id} is sent with another body"));
            }
            Some(_) => {}
            None => {
                let begins = format!("{{\"event_id\":\"{id}\",");
                if !request.body.starts_with(begins.as_bytes()) {
                    return Err(format!("the body of event {id} does not begin with its id"));
                }
                self.bodies.insert(id.clone(), request.body.clone());
            }
        }
        // As a receiver does it, with the one secret that it is told is current.
        let current = order.endpoint.secrets.iter().find(|stored| stored.role == SecretRole::Current);
        let Some(current) = current.map(|stored| &stored.secret) else {
            return Err(format!("endpoint {} has no current secret", order.endpoint.id));
        };
        let verifier = match self.receivers.get(&order.endpoint.id) {
            Some((known, verifier)) if known == current => verifier,
            _ => {
                let verifier = Verifier::new([current.clone()]).tolerance(Duration::from_secs(1));
                let receiver = (current.clone(), verifier);
                &self.receivers.entry(order.endpoint.id.clone()).insert_entry(receiver).into_mut().1
            }
        };
        let signature = only(request, NOTIFY_SIGNATURE)?;
        verifier.verify(&request.body, signature).map_err(|error| format!("event {id}: {error}"))?;
        if current.expose().starts_with("whsec_") {
            let headers = StandardHeaders {
                id: only(request, WEBHOOK_ID)?,
                timestamp: only(request, WEBHOOK_TIMESTAMP)?,
                signature: only(request, WEBHOOK_SIGNATURE)?,
            };
            if headers.id != id.as_str() {
                return Err(format!("event {id} is sent under the id {}", headers.id));
            }
            let now = sent.clock;
            verifier.verify_standard(&request.body, headers, now).map_err(|error| format!("event {id}: {error}"))?;
        }
        Ok(())
    }
}

fn only<'a>(request: &'a Request, name: &str) -> Result<&'a str, String> {
    let mut found = request.headers.iter().filter(|header| header.name == name);
    match (found.next(), found.next()) {
        (Some(header), None) => Ok(&header.value),
        (None, _) => Err(format!("a request has no {name}")),
        (Some(_), Some(_)) => Err(format!("a request has {name} twice")),
    }
}
