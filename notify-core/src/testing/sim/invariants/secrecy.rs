//! No secret outside its place: receivers send back what they got, and none of it is in the log.

use super::super::fixture::CANARIES;
use super::{Found, Invariant, Kind, Known, Ledger, Seen};

#[derive(Debug)]
pub(super) struct Secrecy;

impl Invariant for Secrecy {
    fn name(&self) -> &'static str {
        "no secret outside its place"
    }

    fn watches(&self) -> &'static [Kind] {
        &[Kind::Applied]
    }

    fn see(&mut self, seen: &Seen<'_>, _ledger: &Ledger, _known: Option<&Known>) -> Found {
        let Seen::Applied { change, .. } = seen else { return Ok(()) };
        for attempt in change.attempts() {
            let body = attempt.response.as_ref().map(|head| head.bytes.as_ref()).unwrap_or_default();
            let texts = [attempt.error.as_deref(), attempt.detail.as_deref()].into_iter().flatten();
            let mut said = [body].into_iter().chain(texts.map(str::as_bytes));
            let holds = |text: &[u8], canary: &str| text.windows(canary.len()).any(|part| part == canary.as_bytes());
            if said.any(|text| CANARIES.iter().any(|canary| holds(text, canary))) {
                return Err(format!("a log row of delivery {} holds a secret", change.delivery()));
            }
        }
        Ok(())
    }
}
