//! One attempt: its request as far as it can be told afterwards, and its answer.

use notify_core::Endpoint;
use notify_core::delivery::{Attempt, Outcome, Reason};
use notify_core::event::Event;
use notify_core::sign::{NOTIFY_SIGNATURE, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP, signed_headers};

use crate::access::Capability;
use crate::builder::is_web;
use crate::failure::sentence;
use crate::visit::Visit;
use crate::words::{self, When};

use super::timeline::class_of;
use super::timing::TimingView;

const NOT_KEPT: &str = "(a signature by the secret of that moment: not kept)";

/// One attempt with its request and response.
#[derive(Debug)]
pub(super) struct AttemptView {
    pub(super) number: u32,
    pub(super) round: u32,
    pub(super) started: When,
    pub(super) took: String,
    pub(super) timing: Option<TimingView>,
    pub(super) words: String,
    pub(super) class: &'static str,
    pub(super) open: bool,
    pub(super) url: Option<String>,
    pub(super) href: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) peer: String,
    pub(super) status_code: Option<u16>,
    /// Why it failed and what to do, where the page does not say so already.
    pub(super) why: Option<(String, &'static str)>,
    pub(super) detail: String,
    pub(super) response: Option<String>,
    pub(super) truncated: bool,
}

impl AttemptView {
    /// `endpoint` is `None` where it is deleted; `last` is the newest attempt's number.
    pub(super) fn of(
        visit: &Visit,
        attempt: &Attempt,
        event: &Event,
        endpoint: Option<&Endpoint>,
        last: usize,
    ) -> Self {
        let response = attempt.response.as_ref();
        let url = attempt.url.as_deref();
        let newest = usize::try_from(attempt.number.get()).is_ok_and(|number| number == last);
        Self {
            number: attempt.number.get(),
            round: attempt.round.get(),
            started: visit.when(attempt.started_at),
            took: words::millis(attempt.duration),
            timing: attempt.timing.map(|timing| TimingView::of(&timing, attempt.duration)),
            words: words::outcome_words(attempt),
            class: class_of(attempt),
            open: newest,
            href: url.filter(|url| is_web(url)).map(str::to_owned),
            url: url.map(words::visible),
            headers: url.map(|_| headers(attempt, event, endpoint)).unwrap_or_default(),
            peer: attempt.peer.map(|peer| peer.to_string()).unwrap_or_default(),
            status_code: attempt.status_code,
            why: match attempt.outcome {
                Outcome::Failure(reason) if !newest => Some((sentence(reason.sentence()), words::advice(reason))),
                Outcome::Failure(_) | Outcome::Success => None,
            },
            detail: attempt.detail.as_deref().map(words::visible).unwrap_or_default(),
            response: response.filter(|_| visit.can(Capability::ViewPayloads)).map(words::response_text),
            truncated: response.is_some_and(|head| head.truncated),
        }
    }
}

/// The log does not keep headers. What follows from the event, from the attempt's time and from a secret that never
/// changed is told to the letter; of the rest the names.
fn headers(attempt: &Attempt, event: &Event, endpoint: Option<&Endpoint>) -> Vec<(String, String)> {
    let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    if matches!(attempt.outcome, Outcome::Failure(reason) if never_left(reason)) {
        return vec![line("headers", "(nothing was sent: no connection came about)")];
    }
    let mut headers = vec![line("content-type", "application/json"), line("user-agent", "(the transport's own)")];
    let Some(endpoint) = endpoint else {
        headers.push(line(NOTIFY_SIGNATURE, NOT_KEPT));
        return headers;
    };
    let signed = signed_headers(&endpoint.secrets, &event.key.id, attempt.started_at, &event.body);
    if has_one_secret(endpoint) {
        headers.extend(signed.into_iter().map(|header| (header.name.into_owned(), header.value)));
    } else {
        headers.push(line(NOTIFY_SIGNATURE, NOT_KEPT));
        if signed.iter().any(|header| header.name == WEBHOOK_SIGNATURE) {
            headers.push(line(WEBHOOK_ID, event.key.id.as_str()));
            headers.push(line(WEBHOOK_TIMESTAMP, &attempt.started_at.as_secs().to_string()));
            headers.push(line(WEBHOOK_SIGNATURE, NOT_KEPT));
        }
    }
    // They may be credentials, and may have been others then.
    headers.extend(
        endpoint.headers.iter().map(|header| line(header.name(), "\u{2022}\u{2022}\u{2022}\u{2022} (as set now)")),
    );
    headers
}

/// Whether it failed before there was a connection to send anything over.
const fn never_left(reason: Reason) -> bool {
    match reason {
        Reason::Dns
        | Reason::ConnectRefused
        | Reason::ConnectTimeout
        | Reason::Tls
        | Reason::AddressRefused
        | Reason::Local => true,
        Reason::ResponseTimeout
        | Reason::Reset
        | Reason::Protocol
        | Reason::Status2xxNot200
        | Reason::RedirectRefused
        | Reason::Status4xx
        | Reason::Status5xx
        | Reason::StatusOther
        | Reason::TransportPanic
        | Reason::WorkerLost
        | Reason::Interrupted => false,
    }
}

/// Whether it has had one secret all its life. One that is staged or current later than the webhook leaves a trace in
/// the set for as long as the webhook lives.
fn has_one_secret(endpoint: &Endpoint) -> bool {
    let mut secrets = endpoint.secrets.iter();
    secrets.next().is_some_and(|only| only.created_at == endpoint.created_at) && secrets.next().is_none()
}
