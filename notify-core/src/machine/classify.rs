//! Success or failure, and which.

use crate::delivery::{Outcome, Reason, Response, ResponseHead, SendFailure, Timing};
use crate::retry::{RetryAfter, SuccessRule};

/// What one reply means.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// Success, or why not.
    pub outcome: Outcome,
    /// The status, if an answer came.
    pub status_code: Option<u16>,
    /// What went wrong, in words for the endpoint's owner.
    pub error: Option<String>,
    /// The same for the operator.
    pub detail: Option<String>,
    /// The start of the answer's body.
    pub response: Option<ResponseHead>,
    /// The address that answered or was tried last.
    pub peer: Option<std::net::IpAddr>,
    /// Where the time went.
    pub timing: Option<Timing>,
    /// What a 429 or a 503 asks for.
    pub retry_after: Option<RetryAfter>,
}

impl Verdict {
    /// An outcome of which nothing else is known.
    #[must_use]
    pub const fn new(outcome: Outcome) -> Self {
        Self {
            outcome,
            status_code: None,
            error: None,
            detail: None,
            response: None,
            peer: None,
            timing: None,
            retry_after: None,
        }
    }

    /// A failure without an answer that anybody saw.
    pub(crate) fn of_reason(reason: Reason) -> Self {
        Self { error: Some(reason.sentence().to_owned()), ..Self::new(Outcome::Failure(reason)) }
    }
}

/// Judges a reply by `rule`. The status alone decides: a complete head counts even where the body broke off.
#[must_use]
pub fn classify(reply: Result<Response, SendFailure>, rule: SuccessRule) -> Verdict {
    match reply {
        Ok(response) => judge_status(response, rule),
        Err(mut failure) => {
            // A transport that came back has an outcome. Only the engine knows of lost and interrupted attempts, and
            // those burn no retry: a transport that said so would be asked for ever.
            if !failure.reason.counts() {
                failure.reason = Reason::Local;
            }
            Verdict {
                error: Some(failure.sentence().to_owned()),
                detail: Some(failure.detail),
                peer: failure.peer,
                timing: failure.timing,
                ..Verdict::new(Outcome::Failure(failure.reason))
            }
        }
    }
}

fn judge_status(response: Response, rule: SuccessRule) -> Verdict {
    let status = response.status;
    let (outcome, error) = if rule.accepts(status) || planted!(EverySuccess) && SuccessRule::Any2xx.accepts(status) {
        (Outcome::Success, None)
    } else {
        let (reason, error) = match status {
            200..=299 => (Reason::Status2xxNot200, format!("answered {status}; this endpoint requires 200")),
            300..=399 => {
                let target =
                    response.location.as_deref().map(|location| format!(" to {}", shown(location))).unwrap_or_default();
                (Reason::RedirectRefused, format!("answered {status}{target}; redirects are not followed"))
            }
            400..=499 => (Reason::Status4xx, wrong_status(status, rule)),
            500..=599 => (Reason::Status5xx, wrong_status(status, rule)),
            _ => (Reason::StatusOther, wrong_status(status, rule)),
        };
        (Outcome::Failure(reason), Some(error))
    };
    Verdict {
        outcome,
        status_code: Some(status),
        error,
        detail: None,
        response: Some(ResponseHead { bytes: response.body, truncated: response.truncated }),
        peer: response.peer,
        timing: response.timing,
        // RFC 9110, section 10.2.3, and RFC 6585, section 4. With a redirect it means something else.
        retry_after: response.retry_after.filter(|_| matches!(status, 429 | 503)),
    }
}

fn wrong_status(status: u16, rule: SuccessRule) -> String {
    match rule {
        SuccessRule::Exactly200 => format!("answered {status}; this endpoint requires 200"),
        SuccessRule::Any2xx => format!("answered {status}; this endpoint requires a 2xx"),
    }
}

/// A location from a stranger: no query and no user (they may be credentials), nothing but visible ASCII (no line
/// end, no sign that turns the text around), not endless.
fn shown(location: &str) -> String {
    let end = location.find(['?', '#']).unwrap_or(location.len());
    let location = &location[..end];
    let start = location.find("//").map_or(0, |slashes| slashes + 2);
    let authority_end = location[start..].find(['/', '\\']).map_or(location.len(), |slash| start + slash);
    let host = location[start..authority_end].rfind('@').map_or(start, |at| start + at + 1);
    let plain = location[..start].chars().chain(location[host..].chars());
    plain.take(200).map(|c| if matches!(c, '!'..='~') { c } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests;
