//! The JSON API: a handler reads its request, calls one function of the engine, and shows the answer.

mod by_hand;
mod endpoints;
mod error;
mod fields;
mod history;
mod params;
mod publish;
mod recover;
mod status;
mod views;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::http::StatusCode;
use axum::routing::{get, post};
use notify_core::Engine;

use error::ApiError;

use super::jobs::Jobs;

const MAX_BODY: usize = 1024 * 1024;
const MAX_BATCH_BODY: usize = 8 * 1024 * 1024;

/// What handlers share.
#[derive(Clone, Debug)]
struct Api {
    engine: Engine,
    jobs: Jobs,
}

impl FromRef<Api> for Engine {
    fn from_ref(api: &Api) -> Self {
        api.engine.clone()
    }
}

impl FromRef<Api> for Jobs {
    fn from_ref(api: &Api) -> Self {
        api.jobs.clone()
    }
}

/// The whole API over one engine.
pub(super) fn router(engine: Engine) -> Router {
    Router::new()
        .route("/endpoints", post(endpoints::create).get(endpoints::list))
        .route("/endpoints/{id}", get(endpoints::read).patch(endpoints::change).delete(endpoints::delete))
        .route("/endpoints/{id}/disable", post(endpoints::disable))
        .route("/endpoints/{id}/enable", post(endpoints::enable))
        .route("/endpoints/{id}/ping", post(by_hand::ping))
        .route("/endpoints/{id}/recover", post(recover::begin))
        .route("/endpoints/{id}/secret/rotate", post(by_hand::rotate))
        .route("/endpoints/{id}/secret/stage", post(by_hand::stage))
        .route("/endpoints/{id}/secret/switch", post(by_hand::switch))
        .route("/endpoints/{id}/secret/retire", post(by_hand::retire))
        .route("/events", post(publish::one).get(history::events))
        .route("/events/batch", post(publish::batch).layer(DefaultBodyLimit::max(MAX_BATCH_BODY)))
        .route("/events/{id}", get(history::event))
        .route("/deliveries", get(history::deliveries))
        .route("/deliveries/{id}/resend", post(by_hand::resend))
        .route("/deliveries/{id}/cancel", post(by_hand::cancel))
        .route("/jobs/{id}", get(recover::read_job))
        .route("/jobs/{id}/stop", post(recover::stop))
        .route("/stats", get(status::stats))
        .route("/health", get(status::health))
        .fallback(async || ApiError::new(StatusCode::NOT_FOUND, "not_found", "no such path"))
        .method_not_allowed_fallback(async || {
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this path does not take that method")
        })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Api { engine, jobs: Jobs::default() })
}
