//! `POST /events` and `/events/batch`: the raw door.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use notify_core::{Engine, NewEvent, TenantId, Timestamp};

use super::endpoints::tenant_of;
use super::error::ApiError;
use super::fields::{Batch, Fields};
use super::params::Tenant;
use super::views::ReceiptView;

const MAX_BATCH: usize = 1000;

/// `POST /events`: answers once the event is durable.
pub(super) async fn one(
    State(engine): State<Engine>,
    Tenant(tenant): Tenant,
    fields: Fields,
) -> Result<(StatusCode, Json<ReceiptView>), ApiError> {
    let receipt = engine.publish_event(read(fields, &tenant)?).await?;
    Ok((StatusCode::ACCEPTED, Json(ReceiptView::of(&receipt))))
}

/// `POST /events/batch`: all or nothing; the answers come in the order of the events.
pub(super) async fn batch(
    State(engine): State<Engine>,
    Tenant(tenant): Tenant,
    Batch(batch): Batch,
) -> Result<(StatusCode, Json<Vec<ReceiptView>>), ApiError> {
    if batch.len() > MAX_BATCH {
        return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "batch_too_large", "a batch has at most 1000 events"));
    }
    let events = batch
        .into_iter()
        .enumerate()
        .map(|(index, fields)| read(fields, &tenant).map_err(|error| error.of_event(index)));
    let receipts = engine.publish_all(events.collect::<Result<_, _>>()?).await?;
    Ok((StatusCode::ACCEPTED, Json(receipts.iter().map(ReceiptView::of).collect())))
}

fn read(mut fields: Fields, tenant: &TenantId) -> Result<NewEvent, ApiError> {
    let event_type = fields.required::<String>("event")?;
    let mut event = NewEvent::from_raw(&event_type, fields.raw("data")?)?;
    event = event.for_tenant(tenant_of(&mut fields, tenant.clone())?);
    if let Some(id) = fields.optional::<String>("event_id")? {
        event = event.with_id(&id)?;
    }
    if let Some(key) = fields.optional::<String>("idempotency_key")? {
        event = event.with_idempotency_key(&key)?;
    }
    if let Some(timestamp) = time(&mut fields, "timestamp")? {
        event = event.at(timestamp);
    }
    if let Some(not_before) = time(&mut fields, "not_before")? {
        event = event.not_before(not_before);
    }
    fields.finish()?;
    Ok(event)
}

pub(super) fn time(fields: &mut Fields, name: &'static str) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = fields.optional::<String>(name)? else { return Ok(None) };
    let time = text.parse().map_err(|error| ApiError::refused(name, "timestamp", format!("refused: {error}")))?;
    Ok(Some(time))
}
