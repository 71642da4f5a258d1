//! How one webhook does, over time.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use notify_core::delivery::State;

use crate::failure::Failure;
use crate::frame::{Frame, Section};
use crate::visit::Visit;
use crate::words::{self, When};

use super::charts::{Charts, Range, Waiting};
use super::render;
use super::webhook::{Tabs, find, open};

#[derive(Template)]
#[template(path = "health.html")]
struct HealthPage {
    frame: Frame,
    tabs: Tabs,
    name: String,
    failing: Option<When>,
    charts: Charts,
}

/// `GET /webhooks/{id}/health`
pub(super) async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let endpoint = find(&visit, &id).await?;
    let range = Range::of(&visit)?;
    let activity = range.read(&visit, Some(&endpoint.id)).await?;
    let failing = visit.engine().history().failing_since(std::slice::from_ref(&endpoint.id)).await?;
    let scheduled = open(&visit, &endpoint, State::Scheduled).await?;
    let (number, noun) = scheduled.split_once(' ').unwrap_or((&scheduled, ""));
    let waiting = Waiting { number: number.to_owned(), words: format!("{noun} scheduled.") };
    let name = words::visible(endpoint.name.as_str());
    render(&HealthPage {
        frame: Frame::new(&visit, Some(Section::Webhooks), format!("Health of {name}")),
        tabs: Tabs::new(&visit, &endpoint.id, "health"),
        failing: failing.into_iter().next().flatten().map(|since| visit.when(since)),
        charts: Charts::new(&visit, &format!("/webhooks/{}/health", endpoint.id), range, &activity, waiting),
        name,
    })
}
