//! Resend and cancel.

use axum::extract::Path;
use axum::response::Response;
use notify_core::DeliveryId;
use notify_core::engine::ControlError;

use crate::access::Capability;
use crate::audit::{Verb, audited};
use crate::failure::Failure;
use crate::visit::Visit;

use super::event;

/// `POST /logs/deliveries/{id}/resend`
pub(super) async fn resend(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    visit.needs(Capability::Resend)?;
    let id = delivery_id(&id)?;
    let done = visit.engine().deliveries().resend(&visit.tenant, &id).await;
    audited(&visit, Verb::ResendDelivery, &id.to_string(), done)?;
    Ok(visit.go(&format!("/logs/deliveries/{id}"), "resent"))
}

/// `POST /logs/deliveries/{id}/cancel`
pub(super) async fn cancel(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    visit.needs(Capability::Resend)?;
    let id = delivery_id(&id)?;
    let done = visit.engine().deliveries().cancel(&visit.tenant, &id).await;
    audited(&visit, Verb::CancelDelivery, &id.to_string(), done)?;
    Ok(visit.go(&format!("/logs/deliveries/{id}"), "cancelled"))
}

/// `POST /logs/events/{id}/resend`: every delivery of it that can be sent again now.
pub(super) async fn resend_event(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    visit.needs(Capability::Resend)?;
    let record = event::find(&visit, &id).await?;
    let deliveries = visit.engine().deliveries();
    let mut done = Ok(());
    for delivery in &record.deliveries {
        match deliveries.resend(&visit.tenant, &delivery.id()).await {
            // One that is being sent, or whose webhook is deleted, does not stop the others.
            Ok(_) | Err(ControlError::Refused(_)) => {}
            Err(error) => {
                done = Err(error);
                break;
            }
        }
    }
    audited(&visit, Verb::ResendEvent, record.event.key.id.as_str(), done)?;
    Ok(visit.go(&format!("/logs/events/{}", record.event.key.id), "resent"))
}

pub(super) fn delivery_id(text: &str) -> Result<DeliveryId, Failure> {
    text.parse().map_err(|_| Failure::missing("delivery"))
}
