//! `POST /endpoints/{id}/recover` and `/jobs`: much is sent by a job.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use notify_core::delivery::Reason;
use notify_core::engine::{MissingRequest, RecoverEnded, RecoverRequest};
use notify_core::{Engine, TenantId, Timestamp};
use serde::Serialize;

use super::super::jobs::{Count, Job, JobState, Jobs, Work};
use super::endpoints::known;
use super::error::ApiError;
use super::fields::Fields;
use super::params::Tenant;
use super::publish::time;

/// Ids of jobs are this and a number.
const PREFIX: &str = "job_";

#[derive(Debug, Serialize)]
pub(super) struct BegunView {
    /// `null` where nothing was begun.
    job: Option<String>,
    /// How much there was to send when it was asked for.
    count: usize,
    /// There may be more: the count goes so far and no further.
    more: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct JobView {
    id: String,
    endpoint_id: String,
    state: &'static str,
    count: usize,
    more: bool,
    sent: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// `POST /endpoints/{id}/recover`
pub(super) async fn begin(
    State(engine): State<Engine>,
    State(jobs): State<Jobs>,
    Path(id): Path<String>,
    Tenant(tenant): Tenant,
    mut fields: Fields,
) -> Result<(StatusCode, Json<BegunView>), ApiError> {
    let work = read(&mut fields, tenant, &id)?;
    let dry_run = fields.optional::<bool>("dry_run")?.unwrap_or_default();
    fields.finish()?;
    let count = work.clone().count(&engine).await?;
    let Count { found, more } = count;
    if dry_run {
        return Ok((StatusCode::ACCEPTED, Json(BegunView { job: None, count: found, more })));
    }
    let job = jobs.begin(engine, work, count).ok_or_else(|| {
        let text = "as many jobs run as this host keeps: stop one, or wait for it";
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "jobs_full", text)
    })?;
    Ok((StatusCode::ACCEPTED, Json(BegunView { job: Some(id_of(&job)), count: found, more })))
}

/// `GET /jobs/{id}`
pub(super) async fn read_job(
    State(jobs): State<Jobs>,
    Path(id): Path<String>,
    Tenant(tenant): Tenant,
) -> Result<Json<JobView>, ApiError> {
    let job = number(&id).and_then(|number| jobs.get(&tenant, number));
    job.map(|job| Json(JobView::of(job))).ok_or_else(missing)
}

/// `POST /jobs/{id}/stop`: it ends after the page that is under way.
pub(super) async fn stop(
    State(jobs): State<Jobs>,
    Path(id): Path<String>,
    Tenant(tenant): Tenant,
    fields: Fields,
) -> Result<Json<JobView>, ApiError> {
    fields.finish()?;
    let job = number(&id).and_then(|number| jobs.stop(&tenant, number));
    job.map(|job| Json(JobView::of(job))).ok_or_else(missing)
}

fn read(fields: &mut Fields, tenant: TenantId, id: &str) -> Result<Work, ApiError> {
    let endpoint = known(id)?;
    let mode = fields.required::<String>("mode")?;
    let ended = match mode.as_str() {
        "failed" => Some(RecoverEnded::Failed),
        "all" => Some(RecoverEnded::FailedOrDelivered),
        "missing" => None,
        _ => return Err(ApiError::refused("mode", "mode", "is failed, missing or all")),
    };
    let since: Timestamp =
        time(fields, "since")?.ok_or_else(|| ApiError::refused("since", "required", "is required"))?;
    let until = time(fields, "until")?;
    let status = fields.optional::<u16>("status_code")?;
    let reason = match fields.optional::<String>("reason")?.map(|word| Reason::parse(&word)) {
        None => None,
        Some(Some(reason)) => Some(reason),
        Some(None) => return Err(ApiError::refused("reason", "reason", "is no such reason")),
    };
    if status.is_some_and(|status| !(100..=999).contains(&status)) {
        return Err(ApiError::refused("status_code", "NTF-STATUS", "is 100 to 999"));
    }
    let Some(ended) = ended else {
        for (field, given) in [("status_code", status.is_some()), ("reason", reason.is_some())] {
            if given {
                return Err(ApiError::refused(
                    field,
                    "mode",
                    "goes with failed or all: what is missing has no attempt",
                ));
            }
        }
        let mut request = MissingRequest::new(tenant, endpoint, since);
        request.until = until;
        return Ok(Work::Missing(request));
    };
    let mut request = RecoverRequest::new(tenant, endpoint, since);
    request.until = until;
    request.ended = ended;
    request.reason = reason;
    request.status = status;
    Ok(Work::Recover(request))
}

impl JobView {
    fn of(job: Job) -> Self {
        Self {
            id: id_of(&job),
            endpoint_id: job.endpoint.to_string(),
            state: job.state.as_str(),
            count: job.count.found,
            more: job.count.more,
            sent: job.sent,
            error: if let JobState::Failed(why) = job.state { Some(why) } else { None },
        }
    }
}

fn id_of(job: &Job) -> String {
    format!("{PREFIX}{}", job.number)
}

fn number(id: &str) -> Option<u64> {
    // One job, one id: no sign and no leading zero.
    let number = id.strip_prefix(PREFIX)?.parse::<u64>().ok()?;
    (format!("{PREFIX}{number}") == id).then_some(number)
}

fn missing() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "job_missing", "no such job: it may be of another process, or long ended")
}
