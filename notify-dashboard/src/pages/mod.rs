//! The pages: a handler reads its request, calls the engine, and fills a template.

mod about;
mod attempt;
mod by_hand;
mod charts;
mod delivery;
mod event;
mod event_types;
mod filter;
mod found;
mod health;
mod history;
mod logs;
mod many;
mod matching;
mod names;
mod overview;
mod ping;
mod plan;
mod recover;
mod refused;
mod rows;
mod secret;
mod standing;
mod theme;
mod timeline;
mod timing;
mod webhook;
mod webhook_form;
mod webhook_policy;
mod webhooks;
mod wish;

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::failure::Failure;
use crate::log;

pub(crate) use refused::{failure, failure_for};

/// Every page and form. GET reads; what changes anything is a POST.
pub(crate) fn router() -> Router {
    Router::new()
        .route("/", get(overview::show))
        .route("/webhooks", get(webhooks::show).post(webhook_form::create))
        .route("/webhooks/new", get(webhook_form::new))
        .route("/webhooks/{id}", get(webhook::show).post(webhook_form::change))
        .route("/webhooks/{id}/health", get(health::show))
        .route("/webhooks/{id}/history", get(history::show))
        .route("/webhooks/{id}/edit", get(webhook_form::edit))
        .route("/webhooks/{id}/delete", get(webhook::confirm_delete).post(webhook::delete))
        .route("/webhooks/{id}/disable", post(webhook::disable))
        .route("/webhooks/{id}/enable", post(webhook::enable))
        .route("/webhooks/{id}/ping", post(ping::send))
        .route("/webhooks/{id}/recover", get(recover::ask).post(recover::act))
        .route("/webhooks/{id}/missing", get(recover::ask_missing).post(recover::act_missing))
        .route("/webhooks/{id}/secret", get(secret::show))
        .route("/webhooks/{id}/secret/reveal", post(secret::reveal))
        .route("/webhooks/{id}/secret/rotate", post(secret::rotate))
        .route("/webhooks/{id}/secret/stage", post(secret::stage))
        .route("/webhooks/{id}/secret/switch", post(secret::switch))
        .route("/webhooks/{id}/secret/retire", post(secret::retire))
        .route("/logs", get(logs::show))
        .route("/logs/events/{id}", get(event::show))
        .route("/logs/events/{id}/body", get(event::body))
        .route("/logs/events/{id}/resend", post(by_hand::resend_event))
        .route("/logs/deliveries/many", post(many::act))
        .route("/logs/deliveries/matching", get(matching::ask).post(matching::act))
        .route("/logs/deliveries/{id}", get(delivery::show))
        .route("/logs/deliveries/{id}/resend", post(by_hand::resend))
        .route("/logs/deliveries/{id}/cancel", post(by_hand::cancel))
        .route("/event-types", get(event_types::show))
        .route("/about", get(about::show))
        .route("/theme", post(theme::choose))
        .route("/zone", post(theme::choose_zone))
        .fallback(async || Failure::no_page())
        .method_not_allowed_fallback(async || {
            Failure::new(StatusCode::METHOD_NOT_ALLOWED, "Not possible", "This address does not take that method.")
        })
}

/// The page that `template` makes.
fn render(template: &impl Template) -> Result<Response, Failure> {
    let html = template.render().map_err(|error| {
        log::page_not_made(&error);
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "Page not made", "That is a fault on our side.")
    })?;
    Ok(([(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response())
}

/// The same, for a page that holds a secret: kept nowhere.
fn render_secret(template: &impl Template) -> Result<Response, Failure> {
    let mut response = render(template)?;
    response.headers_mut().insert(CACHE_CONTROL, axum::http::HeaderValue::from_static("no-store"));
    Ok(response)
}
