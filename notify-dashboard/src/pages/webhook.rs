//! One webhook: how it does, and what can be done with it.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use notify_core::delivery::State;
use notify_core::endpoint::{DisableReason, EndpointStatus};
use notify_core::engine::{Backlog, ControlError};
use notify_core::store::{DeliveryQuery, PageRequest};
use notify_core::{Endpoint, EndpointId};

use crate::access::Capability;
use crate::audit::{Verb, audited};
use crate::failure::Failure;
use crate::fields::Fields;
use crate::frame::{Frame, Section};
use crate::visit::Visit;
use crate::words::{self, When, span};

use super::history;
use super::many::Many;
use super::ping::{PingForm, Pinged};
use super::render;
use super::rows::{self, DeliveryRow};
use super::webhooks::events_in_words;

const RECENT: u32 = 20;
/// The backlog is counted up to this.
const MAX_COUNT: u32 = 100;
/// In so many pages at most.
const MAX_LOOKS: u32 = 5;

#[derive(Template)]
#[template(path = "webhook.html")]
pub(super) struct WebhookPage {
    pub(super) frame: Frame,
    tabs: Tabs,
    name: String,
    id: String,
    url: String,
    description: String,
    events: String,
    success: &'static str,
    schedule: String,
    timeout: String,
    headers: Vec<String>,
    created: When,
    updated: When,
    disabled: Option<(When, String, &'static str)>,
    /// Its backlog is being cancelled, or was when that broke off.
    cancelling: bool,
    pinged: Option<Pinged>,
    pub(super) ping: Option<PingForm>,
    failing: Option<When>,
    held: String,
    deliveries: Vec<DeliveryRow>,
    many: Option<Many>,
    logs: String,
    recover: Option<[String; 2]>,
    actions: Option<Actions>,
}

/// The tabs of a webhook's pages.
#[derive(Debug)]
pub(super) struct Tabs {
    pub(super) deliveries: String,
    pub(super) health: String,
    pub(super) history: String,
    pub(super) secret: String,
    pub(super) settings: Option<String>,
    pub(super) current: &'static str,
}

#[derive(Debug)]
struct Actions {
    disable: String,
    enable: String,
    delete: String,
}

#[derive(Template)]
#[template(path = "webhook_delete.html")]
struct DeletePage {
    frame: Frame,
    name: String,
    action: String,
    back: String,
    open: String,
    error: &'static str,
}

impl Tabs {
    pub(super) fn new(visit: &Visit, id: &EndpointId, current: &'static str) -> Self {
        let at = |rest: &str| visit.links.to(&format!("/webhooks/{id}{rest}"));
        Self {
            deliveries: at(""),
            health: at("/health"),
            history: at("/history"),
            secret: at("/secret"),
            settings: visit.can(Capability::Manage).then(|| at("/edit")),
            current,
        }
    }
}

/// `GET /webhooks/{id}`, with `ping` = the delivery of a test event whose result is shown
pub(super) async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let endpoint = find(&visit, &id).await?;
    render(&page(&visit, &endpoint).await?)
}

/// The page of this webhook.
pub(super) async fn page(visit: &Visit, endpoint: &Endpoint) -> Result<WebhookPage, Failure> {
    let mut query = of(visit, endpoint);
    query.page = PageRequest { after: None, limit: RECENT };
    let newest = visit.engine().history().deliveries(&query).await?.items;
    let disabled = match &endpoint.status {
        EndpointStatus::Enabled => None,
        EndpointStatus::Disabled(disabled) => {
            Some((visit.when(disabled.at), words::visible(&disabled.by), history::why(disabled.reason)))
        }
    };
    let cancelling = matches!(
        &endpoint.status,
        EndpointStatus::Disabled(disabled) if disabled.reason == DisableReason::Cancelling
    );
    let held = if disabled.is_some() { open(visit, endpoint, State::Held).await? } else { String::new() };
    let failing = visit.engine().history().failing_since(std::slice::from_ref(&endpoint.id)).await?;
    let policy = endpoint.policy.over(visit.engine().policy());
    let at = |rest: &str| visit.links.to(&format!("/webhooks/{}{rest}", endpoint.id));
    Ok(WebhookPage {
        frame: Frame::new(visit, Some(Section::Webhooks), words::visible(endpoint.name.as_str())),
        tabs: Tabs::new(visit, &endpoint.id, "deliveries"),
        name: words::visible(endpoint.name.as_str()),
        id: endpoint.id.to_string(),
        url: words::visible(endpoint.url.as_str()),
        description: words::visible(&endpoint.description),
        events: events_in_words(endpoint),
        success: match policy.success {
            notify_core::SuccessRule::Exactly200 => "status 200 only",
            notify_core::SuccessRule::Any2xx => "any 2xx",
        },
        schedule: in_words(policy.schedule.delays()),
        timeout: span(policy.timeout),
        headers: endpoint.headers.iter().map(|header| header.name().to_owned()).collect(),
        created: visit.when(endpoint.created_at),
        updated: visit.when(endpoint.updated_at),
        disabled,
        cancelling,
        pinged: Pinged::of(visit, endpoint).await?,
        ping: PingForm::of(visit, endpoint),
        failing: failing.into_iter().next().flatten().map(|since| visit.when(since)),
        held,
        deliveries: rows::deliveries(visit, &newest).await?,
        many: Many::of(visit, newest.len()),
        logs: visit.links.with("/logs", &[("by", "delivery"), ("webhook", endpoint.id.as_str()), ("range", "all")]),
        recover: visit.can(Capability::Resend).then(|| [at("/recover"), at("/missing")]),
        actions: visit.can(Capability::Manage).then(|| Actions {
            disable: at("/disable"),
            enable: at("/enable"),
            delete: at("/delete"),
        }),
    })
}

/// `POST /webhooks/{id}/disable`
pub(super) async fn disable(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    visit.needs(Capability::Manage)?;
    let id = endpoint_id(&id)?;
    let done = visit.engine().endpoints().disable(&visit.tenant, &id, visit.grant.name()).await;
    audited(&visit, Verb::DisableWebhook, id.as_str(), done)?;
    Ok(visit.go(&format!("/webhooks/{id}"), "disabled"))
}

/// `POST /webhooks/{id}/enable`, with `backlog` = `resume` or `cancel`
pub(super) async fn enable(visit: Visit, Path(id): Path<String>, form: Fields) -> Result<Response, Failure> {
    visit.needs(Capability::Manage)?;
    let id = endpoint_id(&id)?;
    let backlog = match form.get("backlog") {
        "resume" => Backlog::Resume,
        "cancel" => Backlog::Cancel,
        _ => return Err(Failure::unreadable_form()),
    };
    let done = visit.engine().endpoints().enable(&visit.tenant, &id, backlog).await;
    audited(&visit, Verb::EnableWebhook, id.as_str(), done)?;
    Ok(visit.go(&format!("/webhooks/{id}"), "enabled"))
}

/// `GET /webhooks/{id}/delete`
pub(super) async fn confirm_delete(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    visit.needs(Capability::Manage)?;
    let endpoint = find(&visit, &id).await?;
    ask(&visit, &endpoint, "").await
}

/// `POST /webhooks/{id}/delete`, with the webhook's name typed in
pub(super) async fn delete(visit: Visit, Path(id): Path<String>, form: Fields) -> Result<Response, Failure> {
    visit.needs(Capability::Manage)?;
    let endpoint = find(&visit, &id).await?;
    if form.get("name") != endpoint.name.as_str().trim() {
        return ask(&visit, &endpoint, "That is not its name. Nothing was deleted.").await;
    }
    let done = visit.engine().endpoints().delete(&visit.tenant, &endpoint.id).await;
    audited(&visit, Verb::DeleteWebhook, endpoint.id.as_str(), done)?;
    Ok(visit.go("/webhooks", "deleted"))
}

async fn ask(visit: &Visit, endpoint: &Endpoint, error: &'static str) -> Result<Response, Failure> {
    let name = words::visible(endpoint.name.as_str());
    render(&DeletePage {
        frame: Frame::new(visit, Some(Section::Webhooks), format!("Delete {name}")),
        action: visit.links.to(&format!("/webhooks/{}/delete", endpoint.id)),
        back: visit.links.to(&format!("/webhooks/{}", endpoint.id)),
        open: open(visit, endpoint, State::Scheduled).await?,
        name,
        error,
    })
}

/// This tenant's webhook.
pub(super) async fn find(visit: &Visit, id: &str) -> Result<Arc<Endpoint>, Failure> {
    let id = endpoint_id(id)?;
    Ok(visit.engine().endpoints().get(&visit.tenant, &id).await?)
}

pub(super) fn endpoint_id(text: &str) -> Result<EndpointId, Failure> {
    text.parse().map_err(|_| Failure::from(ControlError::NotFound))
}

/// Its deliveries.
pub(super) fn of(visit: &Visit, endpoint: &Endpoint) -> DeliveryQuery {
    let mut query = DeliveryQuery::default();
    query.tenant = visit.tenant.clone();
    query.endpoint = Some(endpoint.id.clone());
    query
}

/// How many of its deliveries are in this state, up to 100, in words.
pub(super) async fn open(visit: &Visit, endpoint: &Endpoint, state: State) -> Result<String, Failure> {
    let mut query = of(visit, endpoint);
    query.state = Some(state);
    query.page = PageRequest { after: None, limit: MAX_COUNT };
    // A page may be short and yet not the last.
    for _ in 0..MAX_LOOKS {
        let page = visit.engine().history().deliveries(&query).await?;
        query.page.after = page.next;
        query.page.limit -= u32::try_from(page.items.len()).unwrap_or(MAX_COUNT).min(query.page.limit);
        if page.next.is_none() || query.page.limit == 0 {
            break;
        }
    }
    let count = MAX_COUNT - query.page.limit;
    let plus = if query.page.after.is_some() { "+" } else { "" };
    let noun = if count == 1 { "delivery" } else { "deliveries" };
    Ok(format!("{count}{plus} {noun}"))
}

fn in_words(delays: &[std::time::Duration]) -> String {
    if delays.is_empty() {
        return "no retries".into();
    }
    let delays: Vec<String> = delays.iter().map(|delay| span(*delay)).collect();
    format!("retries after {}", delays.join(", "))
}
