//! What happened to one webhook, as far as its own record tells.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use notify_core::endpoint::{DisableReason, EndpointStatus};
use notify_core::sign::SecretRole;
use notify_core::{Endpoint, Timestamp};

use crate::failure::Failure;
use crate::frame::{Frame, Section};
use crate::visit::Visit;
use crate::words;

use super::render;
use super::timeline::Step;
use super::webhook::{Tabs, find};

#[derive(Template)]
#[template(path = "history.html")]
struct HistoryPage {
    frame: Frame,
    tabs: Tabs,
    name: String,
    steps: Vec<Step>,
    writes: String,
}

/// `GET /webhooks/{id}/history`
pub(super) async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let endpoint = find(&visit, &id).await?;
    let failing = visit.engine().history().failing_since(std::slice::from_ref(&endpoint.id)).await?;
    let mut known = told(&endpoint, visit.now);
    known.extend(failing.into_iter().flatten().map(|since| (since, "bad", "Fails since then".to_owned())));
    known.sort_by_key(|(at, ..)| *at);
    let steps = known.into_iter().map(|(at, class, text)| {
        let when = Some(visit.when(at));
        if at > visit.now { Step::ahead(when, class, text) } else { Step::past(when, class, text) }
    });
    let name = words::visible(endpoint.name.as_str());
    render(&HistoryPage {
        frame: Frame::new(&visit, Some(Section::Webhooks), format!("History of {name}")),
        tabs: Tabs::new(&visit, &endpoint.id, "history"),
        name,
        steps: steps.collect(),
        writes: match endpoint.version.get() {
            0 | 1 => "It was not changed since it was created.".into(),
            2 => "It was changed once since it was created.".into(),
            version => format!("It was changed {} times since it was created.", words::grouped(version - 1)),
        },
    })
}

/// When what happened to it. A record keeps the last of each kind.
fn told(endpoint: &Endpoint, now: Timestamp) -> Vec<(Timestamp, &'static str, String)> {
    let mut known = vec![(endpoint.created_at, "good", "Created".to_owned())];
    for stored in endpoint.secrets.iter() {
        let mark = stored.secret.fingerprint();
        match (stored.role, stored.retires_at) {
            (SecretRole::Current, _) if stored.created_at > endpoint.created_at => {
                known.push((
                    stored.created_at,
                    "idle",
                    format!("The secret was made that is the current one now ({mark})"),
                ));
            }
            (SecretRole::Current, _) => {}
            (SecretRole::Next, _) => known.push((stored.created_at, "idle", format!("A secret was staged ({mark})"))),
            (SecretRole::Previous, Some(end)) if end > now => {
                known.push((end, "idle", format!("The previous secret retires ({mark})")));
            }
            (SecretRole::Previous, Some(end)) => {
                known.push((end, "idle", format!("The previous secret retired ({mark})")))
            }
            (SecretRole::Previous, None) => {}
        }
    }
    if let EndpointStatus::Disabled(disabled) = &endpoint.status {
        let by = words::visible(&disabled.by);
        let by = if by.is_empty() { String::new() } else { format!(" by {by}") };
        known.push((disabled.at, "warn", format!("Disabled{by}, {}", why(disabled.reason))));
    }
    if !known.iter().any(|(at, ..)| *at == endpoint.updated_at) {
        known.push((endpoint.updated_at, "idle", "Last changed".to_owned()));
    }
    known
}

/// Why it was disabled.
pub(super) fn why(reason: DisableReason) -> &'static str {
    match reason {
        DisableReason::Operator => "by hand",
        DisableReason::Cancelling => "to cancel what was held",
        // A reason that a later version of the engine knows.
        other => other.as_str(),
    }
}
