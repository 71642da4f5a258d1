//! What a test says of a delivery that arrived.

use std::time::Duration;

use serde_json::Value;

use crate::delivery::{Attempt, Outcome, Reason, State};
use crate::event::EventPayload;
use crate::sign::{
    NOTIFY_SIGNATURE, Secret, StandardHeaders, Verifier, VerifyError, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP,
};
use crate::testing::SentRequest;

use super::log::{Found, Scene};
use super::report::{Data, data_of, short};

/// The deliveries that arrived at one webhook: at least one. Each method leaves those for which it holds, and fails
/// the test if none is left. Made by [`TestNotify::assert_delivered`](super::TestNotify::assert_delivered).
#[derive(Debug)]
pub struct Delivered {
    scene: Scene,
    /// All requests to the webhook's URL.
    requests: Vec<SentRequest>,
    /// What holds for `left`, in words.
    conditions: Vec<String>,
    event_type: Option<&'static str>,
    shown: Data,
    left: Vec<Found>,
}

impl Delivered {
    #[track_caller]
    pub(super) fn of(scene: Scene, requests: Vec<SentRequest>) -> Self {
        let (conditions, left) = (Vec::new(), scene.found.clone());
        let all = Self { scene, requests, conditions, event_type: None, shown: Data::Hidden, left };
        all.keep(|found| found.delivery.state() == State::Delivered)
    }

    /// Of an event of this type.
    ///
    /// # Panics
    /// No such delivery arrived.
    #[track_caller]
    pub fn event<P: EventPayload>(mut self) -> Self {
        self.event_type = Some(P::NAME);
        self.keep(|found| found.event.event_type.as_str() == P::NAME)
    }

    /// With so many attempts in all, the successful one included.
    ///
    /// # Panics
    /// No such delivery arrived.
    #[track_caller]
    pub fn attempts(mut self, count: u32) -> Self {
        let noun = if count == 1 { "attempt" } else { "attempts" };
        self.conditions.push(format!("after {count} {noun}"));
        self.keep(|found| found.delivery.as_stored().attempts == count)
    }

    /// With a body whose `data` is this JSON value.
    ///
    /// # Panics
    /// No such delivery arrived.
    #[track_caller]
    pub fn body_json(mut self, data: impl Into<Value>) -> Self {
        let data = data.into();
        self.conditions.push(format!("with data {}", short(&data.to_string())));
        self.shown = Data::Shown;
        self.keep(|found| serde_json::from_str::<Value>(data_of(&found.event)).is_ok_and(|sent| sent == data))
    }

    /// Every attempt carried signatures that a receiver verifies with the webhook's secrets (those it has now, and the
    /// one it had when the test met it): `x-notify-signature`, and the Standard Webhooks headers where they are sent.
    ///
    /// # Panics
    /// No such delivery arrived; the message says what a verifier says.
    #[track_caller]
    pub fn signed(mut self) -> Self {
        let problems: Vec<Option<String>> =
            self.left.iter().map(|found| unsigned(found, &self.requests, &self.scene.secrets)).collect();
        let problem = problems.iter().flatten().next().map(|problem| format!(" (but {problem})"));
        self.conditions.push(format!("with valid signatures{}", problem.unwrap_or_default()));
        let mut problems = problems.into_iter();
        self.keep(|_| problems.next().flatten().is_none())
    }

    #[track_caller]
    fn keep(mut self, holds: impl FnMut(&Found) -> bool) -> Self {
        self.left.retain(holds);
        if self.left.is_empty() {
            let event_type = self.event_type.or_else(|| self.scene.only_type());
            let event_type = event_type.map(|name| format!(" for {name}")).unwrap_or_default();
            let blank = if self.conditions.is_empty() { "" } else { " " };
            let conditions = self.conditions.join(", ");
            let expected = format!("expected a delivered attempt to {}{event_type}{blank}{conditions}", self.scene.url);
            panic!("{}", self.scene.tell(&expected, self.shown));
        }
        self
    }
}

/// Why not every attempt of a delivery is known to be signed; `None` if each is.
fn unsigned(found: &Found, requests: &[SentRequest], secrets: &[Secret]) -> Option<String> {
    let reached = |outcome| outcome != Outcome::Failure(Reason::AddressRefused);
    let sent = found.attempts.iter().filter(|attempt| attempt.url.is_some() && reached(attempt.outcome)).count();
    let verifier = Verifier::new(secrets.iter().cloned()).tolerance(Duration::ZERO);
    // Two webhooks may share a URL: the other's requests, signed with other secrets, do not count.
    let mut problem = None;
    let own = requests.iter().filter(|request| request.body == found.event.body);
    let valid = own.filter(|request| match verify(&verifier, request, found) {
        Ok(()) => true,
        Err(error) => {
            problem = Some(error.to_string());
            false
        }
    });
    (valid.count() < sent).then(|| problem.unwrap_or_else(|| "not every request was seen".to_owned()))
}

fn verify(verifier: &Verifier, request: &SentRequest, found: &Found) -> Result<(), VerifyError> {
    let header = |name| request.header(name).unwrap_or_default();
    verifier.verify(&request.body, header(NOTIFY_SIGNATURE))?;
    if request.header(WEBHOOK_SIGNATURE).is_none() {
        return Ok(());
    }
    let standard = StandardHeaders {
        id: header(WEBHOOK_ID),
        timestamp: header(WEBHOOK_TIMESTAMP),
        signature: header(WEBHOOK_SIGNATURE),
    };
    // An attempt is stamped with its own second, and with no other.
    let stamped = |attempt: &&Attempt| attempt.started_at.as_secs().to_string() == standard.timestamp;
    let attempt = found.attempts.iter().find(stamped).ok_or(VerifyError::Timestamp)?;
    verifier.verify_standard(&request.body, standard, attempt.started_at)
}
