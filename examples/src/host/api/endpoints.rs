//! `/endpoints`: register, list, read, change, delete, disable, enable.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use notify_core::engine::Backlog;
use notify_core::store::EndpointQuery;
use notify_core::{EndpointId, EndpointPatch, Engine, NewEndpoint, RetrySchedule, Secret, SuccessRule, TenantId};

use super::error::ApiError;
use super::fields::Fields;
use super::params::{Params, Tenant};
use super::views::{CreatedView, EndpointList, EndpointView};

type Answer<T> = Result<T, ApiError>;

/// `POST /endpoints`: the one answer that shows the secret.
pub(super) async fn create(
    State(engine): State<Engine>,
    Tenant(tenant): Tenant,
    mut fields: Fields,
) -> Answer<(StatusCode, Json<CreatedView>)> {
    let tenant = tenant_of(&mut fields, tenant)?;
    let mut new =
        NewEndpoint::new(fields.required::<String>("name")?, fields.required::<String>("url")?).tenant(tenant);
    if let Some(text) = fields.optional::<String>("secret")? {
        let secret = Secret::new(text)
            .map_err(|error| ApiError::refused("secret", "NTF-SECRET", format!("refused: {error}")))?;
        new = new.secret(secret);
    }
    read_options(&mut fields, &mut new.options)?;
    fields.finish()?;
    let created = engine.endpoints().create(new).await?;
    Ok((StatusCode::CREATED, Json(CreatedView::of(&created))))
}

/// `GET /endpoints`
pub(super) async fn list(State(engine): State<Engine>, mut params: Params) -> Answer<Json<EndpointList>> {
    let query = EndpointQuery { tenant: params.tenant()?, page: params.page()? };
    params.finish()?;
    let page = engine.endpoints().list(&query).await?;
    let ids: Vec<_> = page.items.iter().map(|endpoint| endpoint.id.clone()).collect();
    let failing_since = engine.history().failing_since(&ids).await?;
    Ok(Json(EndpointList::of(&page, &failing_since)))
}

/// `GET /endpoints/{id}`
pub(super) async fn read(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Tenant(tenant): Tenant,
) -> Answer<Json<EndpointView>> {
    let endpoint = engine.endpoints().get(&tenant, &known(&id)?).await?;
    let failing_since = engine.history().failing_since(std::slice::from_ref(&endpoint.id)).await?;
    Ok(Json(EndpointView::of(&endpoint).failing_since(failing_since.into_iter().next().flatten())))
}

/// `PATCH /endpoints/{id}`: `null` puts an optional field back to its default.
pub(super) async fn change(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Tenant(tenant): Tenant,
    mut fields: Fields,
) -> Answer<Json<EndpointView>> {
    let mut patch = EndpointPatch::default();
    patch.name = fields.optional("name")?;
    patch.url = fields.optional("url")?;
    read_options(&mut fields, &mut patch)?;
    fields.finish()?;
    let endpoint = engine.endpoints().update(&tenant, &known(&id)?, &patch).await?;
    Ok(Json(EndpointView::of(&endpoint)))
}

/// `DELETE /endpoints/{id}`
pub(super) async fn delete(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Tenant(tenant): Tenant,
) -> Answer<StatusCode> {
    engine.endpoints().delete(&tenant, &known(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /endpoints/{id}/disable`
pub(super) async fn disable(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Tenant(tenant): Tenant,
    fields: Fields,
) -> Answer<Json<EndpointView>> {
    fields.finish()?;
    // A service with logins says who it was.
    let endpoint = engine.endpoints().disable(&tenant, &known(&id)?, "api").await?;
    Ok(Json(EndpointView::of(&endpoint)))
}

/// `POST /endpoints/{id}/enable`
pub(super) async fn enable(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Tenant(tenant): Tenant,
    mut fields: Fields,
) -> Answer<Json<EndpointView>> {
    let backlog = match fields.optional::<String>("backlog")?.as_deref() {
        None | Some("resume") => Backlog::Resume,
        Some("cancel") => Backlog::Cancel,
        Some(_) => return Err(ApiError::refused("backlog", "backlog", "is resume or cancel")),
    };
    fields.finish()?;
    let endpoint = engine.endpoints().enable(&tenant, &known(&id)?, backlog).await?;
    Ok(Json(EndpointView::of(&endpoint)))
}

/// The body's tenant, if it names one, else the query's.
pub(super) fn tenant_of(fields: &mut Fields, query: TenantId) -> Answer<TenantId> {
    let Some(text) = fields.optional::<String>("tenant")? else { return Ok(query) };
    text.parse().map_err(|error| ApiError::refused("tenant", "NTF-TENANT", format!("is {error}")))
}

fn read_options(fields: &mut Fields, patch: &mut EndpointPatch) -> Answer<()> {
    fields.without("rate_limit")?;
    patch.description = fields.nullable("description")?.map(Option::unwrap_or_default);
    patch.events = fields.nullable("events")?;
    patch.headers = fields
        .nullable::<BTreeMap<String, String>>("headers")?
        .map(|headers| headers.unwrap_or_default().into_iter().collect());
    patch.success = match fields.nullable::<String>("success")? {
        None => None,
        Some(None) => Some(None),
        Some(Some(text)) => {
            let rule = SuccessRule::parse(&text);
            Some(Some(rule.ok_or_else(|| ApiError::refused("success", "success", "is \"200\" or \"2xx\""))?))
        }
    };
    patch.schedule = match fields.nullable::<String>("schedule")? {
        None => None,
        Some(None) => Some(None),
        Some(Some(text)) => Some(Some(
            text.parse::<RetrySchedule>()
                .map_err(|error| ApiError::refused("schedule", "schedule", format!("refused: {error}")))?,
        )),
    };
    Ok(())
}

/// An id that cannot exist does not exist.
pub(super) fn known(id: &str) -> Answer<EndpointId> {
    id.parse().map_err(|_| notify_core::engine::ControlError::NotFound.into())
}
