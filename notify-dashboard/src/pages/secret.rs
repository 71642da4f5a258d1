//! A webhook's secrets: their fingerprints, rotation, and the pages that show one once.

use std::time::Duration;

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use notify_core::engine::DEFAULT_OVERLAP;
use notify_core::sign::{
    NOTIFY_SIGNATURE, NOTIFY_SIGNATURE_NEXT, NOTIFY_SIGNATURE_PREVIOUS, SecretRole, StoredSecret, WEBHOOK_SIGNATURE,
};
use notify_core::{Endpoint, Secret};

use crate::access::Capability;
use crate::audit::{Verb, audited};
use crate::failure::Failure;
use crate::fields::Fields;
use crate::frame::{Frame, Section};
use crate::visit::Visit;
use crate::words::{self, When};

use super::render_secret;
use super::webhook::{Tabs, endpoint_id, find};

#[derive(Template)]
#[template(path = "secret.html")]
struct SecretPage {
    frame: Frame,
    tabs: Tabs,
    name: String,
    secrets: Vec<Row>,
    signature: &'static str,
    standard: &'static str,
    staged: bool,
    previous: bool,
    reveal: Option<String>,
    rotation: Option<Rotation>,
}

#[derive(Debug)]
struct Row {
    role: &'static str,
    header: &'static str,
    fingerprint: String,
    created: When,
    retires: Option<When>,
}

#[derive(Debug)]
struct Rotation {
    rotate: String,
    stage: String,
    switch: String,
    retire: String,
}

/// The page that shows a secret: when it is made, or revealed.
#[derive(Template)]
#[template(path = "secret_once.html")]
pub(super) struct SecretOnce {
    frame: Frame,
    heading: &'static str,
    name: String,
    secret: String,
    signature: &'static str,
    standard: &'static str,
    next: String,
    ping: Option<String>,
}

impl SecretOnce {
    pub(super) fn new(visit: &Visit, endpoint: &Endpoint, secret: &Secret, heading: &'static str) -> Self {
        let at = |rest: &str| visit.links.to(&format!("/webhooks/{}{rest}", endpoint.id));
        Self {
            frame: Frame::new(visit, Some(Section::Webhooks), heading),
            heading,
            name: words::visible(endpoint.name.as_str()),
            // To the letter: it is copied.
            secret: secret.expose().to_owned(),
            signature: NOTIFY_SIGNATURE,
            standard: WEBHOOK_SIGNATURE,
            next: at(""),
            ping: visit.can(Capability::Manage).then(|| at("/ping")),
        }
    }
}

/// `GET /webhooks/{id}/secret`: no secret, only what tells them apart.
pub(super) async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let endpoint = find(&visit, &id).await?;
    let active: Vec<&StoredSecret> = endpoint.secrets.active(visit.now).collect();
    let at = |rest: &str| visit.links.to(&format!("/webhooks/{}/secret/{rest}", endpoint.id));
    let name = words::visible(endpoint.name.as_str());
    render_secret(&SecretPage {
        frame: Frame::new(&visit, Some(Section::Webhooks), format!("Secret of {name}")),
        tabs: Tabs::new(&visit, &endpoint.id, "secret"),
        name,
        signature: NOTIFY_SIGNATURE,
        standard: WEBHOOK_SIGNATURE,
        staged: active.iter().any(|stored| stored.role == SecretRole::Next),
        previous: active.iter().any(|stored| stored.role == SecretRole::Previous),
        secrets: active.into_iter().map(|stored| Row::of(&visit, stored)).collect(),
        reveal: visit.can(Capability::RevealSecret).then(|| at("reveal")),
        rotation: visit.can(Capability::RotateSecret).then(|| Rotation {
            rotate: at("rotate"),
            stage: at("stage"),
            switch: at("switch"),
            retire: at("retire"),
        }),
    })
}

/// `POST /webhooks/{id}/secret/reveal`
pub(super) async fn reveal(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    visit.needs(Capability::RevealSecret)?;
    let endpoint = find(&visit, &id).await?;
    let done = visit.engine().endpoints().reveal_secret(&visit.tenant, &endpoint.id, visit.grant.name()).await;
    let secret = audited(&visit, Verb::RevealSecret, endpoint.id.as_str(), done)?;
    render_secret(&SecretOnce::new(&visit, &endpoint, &secret, "Current secret"))
}

/// `POST /webhooks/{id}/secret/rotate`, with `overlap` in hours
pub(super) async fn rotate(visit: Visit, Path(id): Path<String>, form: Fields) -> Result<Response, Failure> {
    visit.needs(Capability::RotateSecret)?;
    let endpoint = find(&visit, &id).await?;
    let overlap = overlap(&form)?;
    let done = visit.engine().endpoints().rotate_secret(&visit.tenant, &endpoint.id, overlap).await;
    let secret = audited(&visit, Verb::RotateSecret, endpoint.id.as_str(), done)?;
    render_secret(&SecretOnce::new(&visit, &endpoint, &secret, "Secret rotated"))
}

/// `POST /webhooks/{id}/secret/stage`
pub(super) async fn stage(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    visit.needs(Capability::RotateSecret)?;
    let endpoint = find(&visit, &id).await?;
    let done = visit.engine().endpoints().stage_secret(&visit.tenant, &endpoint.id).await;
    let secret = audited(&visit, Verb::StageSecret, endpoint.id.as_str(), done)?;
    render_secret(&SecretOnce::new(&visit, &endpoint, &secret, "Secret staged"))
}

/// `POST /webhooks/{id}/secret/switch`, with `overlap` in hours
pub(super) async fn switch(visit: Visit, Path(id): Path<String>, form: Fields) -> Result<Response, Failure> {
    visit.needs(Capability::RotateSecret)?;
    let id = endpoint_id(&id)?;
    let overlap = overlap(&form)?;
    let done = visit.engine().endpoints().switch_secret(&visit.tenant, &id, overlap).await;
    audited(&visit, Verb::SwitchSecret, id.as_str(), done)?;
    Ok(visit.go(&format!("/webhooks/{id}/secret"), "switched"))
}

/// `POST /webhooks/{id}/secret/retire`
pub(super) async fn retire(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    visit.needs(Capability::RotateSecret)?;
    let id = endpoint_id(&id)?;
    let done = visit.engine().endpoints().retire_secret(&visit.tenant, &id).await;
    audited(&visit, Verb::RetireSecret, id.as_str(), done)?;
    Ok(visit.go(&format!("/webhooks/{id}/secret"), "retired"))
}

/// How long the old secret signs on: 24 hours unless the form says otherwise, at most 90 days.
fn overlap(form: &Fields) -> Result<Duration, Failure> {
    match form.get("overlap") {
        "" => Ok(DEFAULT_OVERLAP),
        hours => {
            let hours: u64 =
                hours.parse().ok().filter(|hours| *hours <= 90 * 24).ok_or_else(Failure::unreadable_form)?;
            Ok(Duration::from_secs(hours * 3_600))
        }
    }
}

impl Row {
    fn of(visit: &Visit, stored: &StoredSecret) -> Self {
        let (role, header) = match stored.role {
            SecretRole::Current => ("Current", NOTIFY_SIGNATURE),
            SecretRole::Next => ("Staged", NOTIFY_SIGNATURE_NEXT),
            SecretRole::Previous => ("Previous", NOTIFY_SIGNATURE_PREVIOUS),
        };
        Self {
            role,
            header,
            fingerprint: stored.secret.fingerprint(),
            created: visit.when(stored.created_at),
            retires: stored.retires_at.map(|end| visit.when(end)),
        }
    }
}
