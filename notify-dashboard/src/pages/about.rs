//! What runs here.

use askama::Template;
use axum::response::Response;

use crate::failure::Failure;
use crate::frame::{Frame, Section};
use crate::visit::Visit;
use crate::words::span;

use super::plan::{Planned, plan};
use super::render;

#[derive(Template)]
#[template(path = "about.html")]
struct About {
    frame: Frame,
    facts: Vec<(&'static str, String)>,
    plan: Vec<Planned>,
}

/// `GET /about`
pub(super) async fn show(visit: Visit) -> Result<Response, Failure> {
    let engine = visit.engine();
    let stats = engine.history().stats(Some(&visit.tenant)).await?;
    let health = engine.health().await?;
    let policy = engine.policy();
    let running =
        if health.running { "yes: engine.run() is polled here" } else { "no: engine.run() is not polled here" };
    let success = match policy.success {
        notify_core::SuccessRule::Exactly200 => "status 200 only",
        notify_core::SuccessRule::Any2xx => "any 2xx",
    };
    let kept = visit.shared.retention.map_or_else(|| "as the host decides".to_owned(), span);
    render(&About {
        facts: vec![
            ("Version", env!("CARGO_PKG_VERSION").to_owned()),
            ("Store", format!("{}, schema {}", stats.kind, stats.schema_version)),
            ("This process sends", running.to_owned()),
            ("Attempts in flight here", health.in_flight.to_string()),
            ("Success is", success.to_owned()),
            ("Deadline of an attempt", span(policy.timeout)),
            ("Attempts of a delivery", policy.schedule.attempts().to_string()),
            ("Events are kept", kept),
        ],
        plan: plan(&visit, &policy.schedule),
        frame: Frame::new(&visit, Some(Section::About), "About"),
    })
}
