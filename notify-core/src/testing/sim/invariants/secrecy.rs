//! No secret outside its place: receivers send back what they got, and none of it is in the log.

use super::super::scenario::Scenario;
use super::{Found, Invariant, Kind, Known, Ledger, Seen};

#[derive(Debug)]
pub(super) struct Secrecy {
    canaries: Vec<String>,
}

impl Secrecy {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let headers = (0..scenario.endpoints.len()).map(super::super::fixture::header_value);
        Self { canaries: headers.collect() }
    }
}

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
            let said = [body].into_iter().chain(texts.map(str::as_bytes)).filter(|text| !text.is_empty());
            for text in said {
                let text = String::from_utf8_lossy(text);
                if text.contains("whsec_") || self.canaries.iter().any(|canary| text.contains(canary.as_str())) {
                    return Err(format!("a log row of delivery {} holds a secret", change.delivery()));
                }
            }
        }
        Ok(())
    }
}
