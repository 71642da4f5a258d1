//! What a person does by hand: ping, the secret's rotation, resend, cancel.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use notify_core::delivery::Delivery;
use notify_core::engine::{ControlError, DEFAULT_OVERLAP, PingRequest};
use notify_core::{DeliveryId, Engine, RetrySchedule};

use super::endpoints::known;
use super::error::ApiError;
use super::fields::Fields;
use super::params::Tenant;
use super::views::{DeliveryView, EndpointView, ReceiptView, SecretView};

type Answer<T> = Result<T, ApiError>;

/// `POST /endpoints/{id}/ping`: of the type and with the data that the body names.
pub(super) async fn ping(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Tenant(tenant): Tenant,
    mut fields: Fields,
) -> Answer<(StatusCode, Json<ReceiptView>)> {
    let mut request = match fields.optional::<String>("event")? {
        None => PingRequest::default(),
        Some(text) => PingRequest::of(
            text.parse().map_err(|error| ApiError::refused("event", "NTF-EVENT-TYPE", format!("is {error}")))?,
        ),
    };
    if let Some(data) = fields.optional_raw("data") {
        request = request.with_data(data.get());
    }
    fields.finish()?;
    let receipt = engine.endpoints().ping_with(&tenant, &known(&id)?, &request).await?;
    Ok((StatusCode::ACCEPTED, Json(ReceiptView::of(&receipt))))
}

/// `POST /endpoints/{id}/secret/rotate`: shows the new secret, once.
pub(super) async fn rotate(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Tenant(tenant): Tenant,
    mut fields: Fields,
) -> Answer<Json<SecretView>> {
    let overlap = overlap(&mut fields)?;
    fields.finish()?;
    let secret = engine.endpoints().rotate_secret(&tenant, &known(&id)?, overlap).await?;
    Ok(Json(SecretView::of(&secret)))
}

/// `POST /endpoints/{id}/secret/stage`: shows the staged secret, once.
pub(super) async fn stage(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Tenant(tenant): Tenant,
    fields: Fields,
) -> Answer<Json<SecretView>> {
    fields.finish()?;
    let secret = engine.endpoints().stage_secret(&tenant, &known(&id)?).await?;
    Ok(Json(SecretView::of(&secret)))
}

/// `POST /endpoints/{id}/secret/switch`
pub(super) async fn switch(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Tenant(tenant): Tenant,
    mut fields: Fields,
) -> Answer<Json<EndpointView>> {
    let overlap = overlap(&mut fields)?;
    fields.finish()?;
    let endpoint = engine.endpoints().switch_secret(&tenant, &known(&id)?, overlap).await?;
    Ok(Json(EndpointView::of(&endpoint)))
}

/// `POST /endpoints/{id}/secret/retire`
pub(super) async fn retire(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Tenant(tenant): Tenant,
    fields: Fields,
) -> Answer<Json<EndpointView>> {
    fields.finish()?;
    let endpoint = engine.endpoints().retire_secret(&tenant, &known(&id)?).await?;
    Ok(Json(EndpointView::of(&endpoint)))
}

/// `POST /deliveries/{id}/resend`
pub(super) async fn resend(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Tenant(tenant): Tenant,
    fields: Fields,
) -> Answer<Json<DeliveryView>> {
    fields.finish()?;
    let delivery = engine.deliveries().resend(&tenant, &known_delivery(&id)?).await?;
    view(&engine, delivery).await
}

/// `POST /deliveries/{id}/cancel`
pub(super) async fn cancel(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Tenant(tenant): Tenant,
    fields: Fields,
) -> Answer<Json<DeliveryView>> {
    fields.finish()?;
    let delivery = engine.deliveries().cancel(&tenant, &known_delivery(&id)?).await?;
    view(&engine, delivery).await
}

async fn view(engine: &Engine, delivery: Delivery) -> Answer<Json<DeliveryView>> {
    let outlooks = engine.history().outlook(std::slice::from_ref(&delivery)).await?;
    Ok(Json(DeliveryView::of(&delivery, &outlooks[0])))
}

/// A duration as one step of a schedule is written; absent = 24 hours.
fn overlap(fields: &mut Fields) -> Answer<Duration> {
    let Some(text) = fields.optional::<String>("overlap")? else { return Ok(DEFAULT_OVERLAP) };
    let one = text.parse::<RetrySchedule>().ok().filter(|schedule| schedule.delays().len() == 1);
    let one = one.ok_or_else(|| ApiError::refused("overlap", "overlap", "is one duration, such as 24h or 0s"))?;
    Ok(one.delays()[0])
}

/// An id that cannot exist does not exist.
fn known_delivery(id: &str) -> Answer<DeliveryId> {
    id.parse().map_err(|_| ControlError::NoSuchDelivery.into())
}
