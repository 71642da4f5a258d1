//! Sending much to a webhook in one go, what failed or what it never got: first how much it is, then the act.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use notify_core::engine::{ControlError, MissingRequest, RecoverRequest};
use notify_core::store::Cursor;
use notify_core::{Endpoint, Timestamp};

use crate::access::Capability;
use crate::audit::{Verb, audited};
use crate::failure::Failure;
use crate::fields::Fields;
use crate::frame::{Frame, Section};
use crate::visit::Visit;
use crate::words::{self, When};

use super::found::Found;
use super::refused::come_again;
use super::render;
use super::webhook::find;

/// One form sends about so many, and says so where there are more: whoever asks waits for it.
pub(super) const MOST: u32 = 1_000;
/// So many pages of the log at most, of which many may have nothing to send.
pub(super) const MOST_PAGES: u32 = 50;

const HOUR: i64 = 3_600_000;
/// How far back: in the address, in words, in milliseconds.
const RANGES: [(&str, &str, i64); 4] =
    [("1h", "1 h", HOUR), ("24h", "24 h", 24 * HOUR), ("7d", "7 days", 168 * HOUR), ("30d", "30 days", 720 * HOUR)];
const USUAL: usize = 1;

/// What is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum What {
    /// What failed for good, again.
    Failed,
    /// What was never sent to this webhook.
    Missing,
}

#[derive(Template)]
#[template(path = "recover.html")]
struct RecoverPage {
    frame: Frame,
    what: What,
    name: String,
    disabled: bool,
    back: String,
    action: String,
    verbs: [Choice; 2],
    ranges: Vec<Choice>,
    since: When,
    since_millis: i64,
    step: Step,
}

/// One of several links, of which one is where we are.
#[derive(Debug)]
struct Choice {
    href: String,
    label: &'static str,
    current: bool,
}

/// Where somebody stands.
enum Step {
    Ask(Found),
    /// So many were sent, and where to go on.
    Done {
        sent: u32,
        next: Option<Cursor>,
        stopped: Option<Failure>,
    },
}

/// What is asked of the engine, page by page.
enum Request {
    Failed(RecoverRequest),
    Missing(MissingRequest),
}

/// `GET /webhooks/{id}/recover`, with `range` = how far back
pub(super) async fn ask(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    What::Failed.ask(&visit, &id).await
}

/// `GET /webhooks/{id}/missing`, with `range` = how far back
pub(super) async fn ask_missing(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    What::Missing.ask(&visit, &id).await
}

/// `POST /webhooks/{id}/recover`, with `since` as the page before had it, and `cursor` where an earlier form ended
pub(super) async fn act(visit: Visit, Path(id): Path<String>, form: Fields) -> Result<Response, Failure> {
    What::Failed.act(&visit, &id, &form).await
}

/// `POST /webhooks/{id}/missing`, with the same fields
pub(super) async fn act_missing(visit: Visit, Path(id): Path<String>, form: Fields) -> Result<Response, Failure> {
    What::Missing.act(&visit, &id, &form).await
}

impl What {
    async fn ask(self, visit: &Visit, id: &str) -> Result<Response, Failure> {
        visit.needs(Capability::Resend)?;
        let endpoint = find(visit, id).await?;
        let asked = visit.query.get("range");
        let (range, _, back) = *RANGES.iter().find(|(range, ..)| *range == asked).unwrap_or(&RANGES[USUAL]);
        let since = Timestamp::from_millis(visit.now.as_millis() - back);
        let found = self.request(visit, &endpoint, since).count(visit).await?;
        render(&self.page(visit, &endpoint, range, since, Step::Ask(found)))
    }

    async fn act(self, visit: &Visit, id: &str, form: &Fields) -> Result<Response, Failure> {
        visit.needs(Capability::Resend)?;
        let endpoint = find(visit, id).await?;
        let since = form.get("since").parse().map(Timestamp::from_millis).map_err(|_| Failure::unreadable_form())?;
        let mut request = self.request(visit, &endpoint, since);
        request.go_on(match form.get("cursor") {
            "" => None,
            cursor => Some(cursor.parse().map_err(|_| Failure::unreadable_form())?),
        });
        let mut sent = 0;
        let done = request.send(visit, &mut sent).await;
        let stopped = match audited(visit, self.audit_verb(), endpoint.id.as_str(), done) {
            Ok(()) => None,
            Err(error) if sent == 0 => return Err(error.into()),
            Err(error) => Some(Failure::from(error)),
        };
        let status = stopped.as_ref().map(|failure| failure.status);
        let step = Step::Done { sent, next: request.after(), stopped };
        let mut response = render(&self.page(visit, &endpoint, "", since, step))?;
        if let Some(status) = status {
            *response.status_mut() = status;
            come_again(&mut response);
        }
        Ok(response)
    }

    fn request(self, visit: &Visit, endpoint: &Endpoint, since: Timestamp) -> Request {
        let (tenant, id) = (visit.tenant.clone(), endpoint.id.clone());
        match self {
            Self::Failed => Request::Failed(RecoverRequest::new(tenant, id, since)),
            Self::Missing => Request::Missing(MissingRequest::new(tenant, id, since)),
        }
    }

    const fn audit_verb(self) -> Verb {
        match self {
            Self::Failed => Verb::RecoverWebhook,
            Self::Missing => Verb::SendMissing,
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Failed => "recover",
            Self::Missing => "missing",
        }
    }

    fn page(self, visit: &Visit, endpoint: &Endpoint, range: &str, since: Timestamp, step: Step) -> RecoverPage {
        let name = words::visible(endpoint.name.as_str());
        let at = |what: Self| format!("/webhooks/{}/{}", endpoint.id, what.path());
        let verb = |what: Self, label| Choice {
            href: visit.links.with(&at(what), &[("range", range)]),
            label,
            current: what == self,
        };
        let title = match self {
            Self::Failed => format!("Send again: {name}"),
            Self::Missing => format!("Send what is missing: {name}"),
        };
        RecoverPage {
            frame: Frame::new(visit, Some(Section::Webhooks), title),
            what: self,
            disabled: !endpoint.is_enabled(),
            back: visit.links.to(&format!("/webhooks/{}", endpoint.id)),
            action: visit.links.to(&at(self)),
            verbs: [verb(Self::Failed, "What failed"), verb(Self::Missing, "What was never sent")],
            ranges: RANGES
                .iter()
                .map(|(value, label, _)| Choice {
                    href: visit.links.with(&at(self), &[("range", value)]),
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
}

impl Request {
    /// How much there is to send, newest first, as far as a page may look.
    async fn count(mut self, visit: &Visit) -> Result<Found, Failure> {
        let mut found = Found::default();
        for _ in 0..MOST_PAGES {
            self.limit(found.room());
            let (published, next) = self.look(visit).await?;
            published.into_iter().for_each(|at| found.add(visit, at));
            found.more = next.is_some();
            if next.is_none() || found.room() == 0 {
                break;
            }
            self.go_on(next);
        }
        Ok(found)
    }

    /// When those of one page were published, newest first, and where the next page begins.
    async fn look(&self, visit: &Visit) -> Result<(Vec<Timestamp>, Option<Cursor>), ControlError> {
        let deliveries = visit.engine().deliveries();
        Ok(match self {
            Self::Failed(request) => {
                let page = deliveries.recoverable(request).await?;
                (page.items.iter().map(|delivery| delivery.as_stored().created_at).collect(), page.next)
            }
            Self::Missing(request) => {
                let page = deliveries.missing(request).await?;
                (page.items.iter().map(|record| record.created_at).collect(), page.next)
            }
        })
    }

    /// Goes on to the end or to the most that one form may send. Tells in `sent` how many were sent, also where it
    /// breaks off.
    async fn send(&mut self, visit: &Visit, sent: &mut u32) -> Result<(), ControlError> {
        let deliveries = visit.engine().deliveries();
        for _ in 0..MOST_PAGES {
            let (more, next) = match self {
                Self::Failed(request) => {
                    let done = deliveries.recover(request).await?;
                    (done.resent, done.next)
                }
                Self::Missing(request) => {
                    let done = deliveries.send_missing(request).await?;
                    (done.sent, done.next)
                }
            };
            *sent += more;
            self.go_on(next);
            if next.is_none() || *sent >= MOST {
                break;
            }
        }
        Ok(())
    }

    const fn go_on(&mut self, after: Option<Cursor>) {
        match self {
            Self::Failed(request) => request.page.after = after,
            Self::Missing(request) => request.page.after = after,
        }
    }

    const fn limit(&mut self, limit: u32) {
        match self {
            Self::Failed(request) => request.page.limit = limit,
            Self::Missing(request) => request.page.limit = limit,
        }
    }

    const fn after(&self) -> Option<Cursor> {
        match self {
            Self::Failed(request) => request.page.after,
            Self::Missing(request) => request.page.after,
        }
    }
}
