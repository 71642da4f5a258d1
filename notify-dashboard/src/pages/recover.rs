//! Sending again, in one go, what failed for a webhook: first how much it is, then the act.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use notify_core::delivery::State;
use notify_core::engine::{ControlError, RecoverRequest};
use notify_core::event::Purpose;
use notify_core::store::Cursor;
use notify_core::{Endpoint, Timestamp};

use crate::access::Capability;
use crate::audit::{Verb, audited};
use crate::failure::Failure;
use crate::fields::Fields;
use crate::frame::{Frame, Section};
use crate::visit::Visit;
use crate::words::{self, When};

use super::refused::come_again;
use super::render;
use super::webhook::{counted, find, of};

/// One form sends about so many again, and says so where there are more: whoever asks waits for it.
const MOST: u32 = 1_000;
/// So many pages of the log at most, of which many may have nothing to send.
const MOST_PAGES: u32 = 50;

const HOUR: i64 = 3_600_000;
/// How far back: in the address, in words, in milliseconds.
const RANGES: [(&str, &str, i64); 4] =
    [("1h", "1 h", HOUR), ("24h", "24 h", 24 * HOUR), ("7d", "7 days", 168 * HOUR), ("30d", "30 days", 720 * HOUR)];
const USUAL: usize = 1;

#[derive(Template)]
#[template(path = "recover.html")]
struct RecoverPage {
    frame: Frame,
    name: String,
    disabled: bool,
    back: String,
    action: String,
    ranges: Vec<RangeLink>,
    since: When,
    since_millis: i64,
    step: Step,
}

#[derive(Debug)]
struct RangeLink {
    href: String,
    label: &'static str,
    current: bool,
}

/// Where somebody stands.
enum Step {
    /// So many would be sent again; `None` = there is nothing to send.
    Ask(Option<String>),
    /// So many were, and where to go on.
    Done { sent: u32, next: Option<Cursor>, stopped: Option<Failure> },
}

/// `GET /webhooks/{id}/recover`, with `range` = how far back
pub(super) async fn ask(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    visit.needs(Capability::Resend)?;
    let endpoint = find(&visit, &id).await?;
    let asked = visit.query.get("range");
    let (range, _, back) = *RANGES.iter().find(|(range, ..)| *range == asked).unwrap_or(&RANGES[USUAL]);
    let since = Timestamp::from_millis(visit.now.as_millis() - back);
    let mut query = of(&visit, &endpoint);
    query.state = Some(State::Failed);
    query.purpose = Some(Purpose::Live);
    query.since = Some(since);
    let (count, words) = counted(&visit, query).await?;
    render(&page(&visit, &endpoint, range, since, Step::Ask((count > 0).then_some(words))))
}

/// `POST /webhooks/{id}/recover`, with `since` as the page before had it, and `cursor` where an earlier form ended
pub(super) async fn act(visit: Visit, Path(id): Path<String>, form: Fields) -> Result<Response, Failure> {
    visit.needs(Capability::Resend)?;
    let endpoint = find(&visit, &id).await?;
    let since = form.get("since").parse().map(Timestamp::from_millis).map_err(|_| Failure::unreadable_form())?;
    let mut request = RecoverRequest::new(visit.tenant.clone(), endpoint.id.clone(), since);
    request.page.after = match form.get("cursor") {
        "" => None,
        cursor => Some(cursor.parse().map_err(|_| Failure::unreadable_form())?),
    };
    let mut sent = 0;
    let done = send(&visit, &mut request, &mut sent).await;
    let stopped = match audited(&visit, Verb::RecoverWebhook, endpoint.id.as_str(), done) {
        Ok(()) => None,
        Err(error) if sent == 0 => return Err(error.into()),
        Err(error) => Some(Failure::from(error)),
    };
    let status = stopped.as_ref().map(|failure| failure.status);
    let step = Step::Done { sent, next: request.page.after, stopped };
    let mut response = render(&page(&visit, &endpoint, "", since, step))?;
    if let Some(status) = status {
        *response.status_mut() = status;
        come_again(&mut response);
    }
    Ok(response)
}

/// Leaves in `request` where to go on, and in `sent` how many were sent again, also where it breaks off.
async fn send(visit: &Visit, request: &mut RecoverRequest, sent: &mut u32) -> Result<(), ControlError> {
    for _ in 0..MOST_PAGES {
        let done = visit.engine().deliveries().recover(request).await?;
        *sent += done.resent;
        request.page.after = done.next;
        if done.next.is_none() || *sent >= MOST {
            break;
        }
    }
    Ok(())
}

fn page(visit: &Visit, endpoint: &Endpoint, range: &str, since: Timestamp, step: Step) -> RecoverPage {
    let name = words::visible(endpoint.name.as_str());
    let here = format!("/webhooks/{}/recover", endpoint.id);
    RecoverPage {
        frame: Frame::new(visit, Some(Section::Webhooks), format!("Send again: {name}")),
        disabled: !endpoint.is_enabled(),
        back: visit.links.to(&format!("/webhooks/{}", endpoint.id)),
        action: visit.links.to(&here),
        ranges: RANGES
            .iter()
            .map(|(value, label, _)| RangeLink {
                href: visit.links.with(&here, &[("range", value)]),
                label,
                current: *value == range,
            })
            .collect(),
        since: visit.when(since),
        since_millis: since.as_millis(),
        name,
        step,
    }
}
