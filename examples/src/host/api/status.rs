//! `GET /stats` and `/health`.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use notify_core::Engine;
use notify_core::delivery::State as DeliveryState;
use serde::Serialize;

use super::error::ApiError;
use super::params::Tenant;

#[derive(Debug, Serialize)]
pub(super) struct StatsView {
    /// Every status, 0 included.
    by_status: BTreeMap<&'static str, u64>,
    /// How long the oldest due delivery waits; `null` when none is scheduled, 0 when none is due yet.
    oldest_due_age_ms: Option<u128>,
    in_flight: u32,
    store: &'static str,
    schema_version: u32,
    engine: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct HealthView {
    status: &'static str,
}

/// `GET /stats`: the deliveries of one tenant, and this process.
pub(super) async fn stats(State(engine): State<Engine>, Tenant(tenant): Tenant) -> Result<Json<StatsView>, ApiError> {
    let stats = engine.history().stats(Some(&tenant)).await?;
    let health = engine.health().await?;
    let now = engine.now();
    let count = |state: &DeliveryState| stats.by_state.get(state).copied().unwrap_or(0);
    Ok(Json(StatsView {
        by_status: DeliveryState::ALL.iter().map(|state| (state.as_str(), count(state))).collect(),
        oldest_due_age_ms: stats.oldest_due.map(|due| now.since(due).as_millis()),
        in_flight: health.in_flight,
        store: stats.kind,
        schema_version: stats.schema_version,
        engine: if health.running { "running" } else { "stopped" },
    }))
}

/// `GET /health`: 200 while the engine runs and the store answers.
pub(super) async fn health(State(engine): State<Engine>) -> Result<Json<HealthView>, ApiError> {
    if !engine.health().await?.running {
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "engine_stopped", "the engine does not run"));
    }
    Ok(Json(HealthView { status: "ok" }))
}
