//! The way to every page: where are we mounted, may this form come in, may this person, and the headers of the answer.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{OriginalUri, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HOST, IF_NONE_MATCH, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use notify_core::TenantId;
use sha2::{Digest, Sha256};
use tower_http::csrf::ProtectionError;
use tower_layer::Layer as _;

use crate::access::{Access, Capability, Scope};
use crate::builder::Shared;
use crate::failure::Failure;
use crate::fields::Fields;
use crate::frame::Theme;
use crate::links::Links;
use crate::visit::Visit;
use crate::zone::Zone;
use crate::{assets, log, pages, words};

/// The whole dashboard: every path goes through both gates before it is looked up.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let admitted = from_fn_with_state(Arc::clone(&shared), admit).layer(pages::router());
    let from_here = shared.csrf.layer(admitted);
    Router::new().fallback_service(from_fn_with_state(shared, receive).layer(from_here))
}

/// `frame-ancestors` is the host's; the rest is fixed. `None` if it cannot stand there.
pub(crate) fn content_security_policy(frame_ancestors: &str) -> Option<HeaderValue> {
    if frame_ancestors.trim().is_empty() || frame_ancestors.contains([';', ',']) {
        return None;
    }
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors {frame_ancestors}"
    );
    HeaderValue::from_str(&policy).ok()
}

/// Where this request came in: known before anybody is let in, and needed for the pages that say no.
#[derive(Clone, Debug)]
struct Mounted(Links);

/// The outer gate: assets, the mount path, refusals, and headers.
async fn receive(State(shared): State<Arc<Shared>>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    if let Some(asset) = assets::find(&path).filter(|_| matches!(*request.method(), Method::GET | Method::HEAD)) {
        return secured(asset.into_response(), &shared);
    }
    let links = Links::new(base(&shared, &request), None);
    let refused = cross_site(request.headers(), request.uri());
    let is_read = *request.method() == Method::GET;
    let known = request.headers().get(IF_NONE_MATCH).cloned();
    without_last_slash(&mut request, &path);
    request.extensions_mut().insert(Mounted(links.clone()));

    let mut response = next.run(request).await;
    if response.extensions().get::<ProtectionError>().is_some() {
        log::form_refused(&refused);
        response.extensions_mut().insert(refused);
    }
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        response = pages::failure(&links, &failure);
    }
    if is_read && response.status() == StatusCode::OK && !response.headers().contains_key(CACHE_CONTROL) {
        response = tagged(response, known.as_ref()).await;
    }
    secured(response, &shared)
}

/// The inner gate: the host says who this is.
async fn admit(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let grant = match (shared.authorize)(parts.clone()).await {
        Access::Denied => return Failure::denied().into_response(),
        Access::Redirect(to) => return Redirect::to(&to).into_response(),
        Access::Granted(grant) if !grant.can(Capability::View) => {
            return Failure::forbidden(Capability::View).into_response();
        }
        Access::Granted(grant) => grant,
    };
    let query = Fields::of_query(&parts.uri);
    let tenant = match Visit::tenant_of(grant.scope(), query.get("tenant")) {
        Ok(tenant) => tenant,
        Err(failure) => return failure.into_response(),
    };
    let base = parts.extensions.get::<Mounted>().map(|Mounted(links)| links.to("")).unwrap_or_default();
    let named = Some(&tenant).filter(|tenant| *grant.scope() == Scope::All && **tenant != TenantId::default());
    let visit = Visit {
        links: Links::new(base, named.cloned()),
        here: parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
        theme: Theme::of_cookies(&parts.headers),
        zone: Zone::of_cookies(&parts.headers),
        reads: parts.method == Method::GET,
        now: shared.engine.now(),
        shared,
        grant,
        tenant,
        query,
    };
    parts.extensions.insert(visit.clone());
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        response = pages::failure_for(&visit, &failure);
    }
    response
}

/// What the host's router took off the path before it came to us.
fn base(shared: &Shared, request: &Request) -> String {
    if let Some(base) = &shared.base_path {
        return base.clone();
    }
    let here = request.uri().path();
    let whole = request.extensions().get::<OriginalUri>().map_or(here, |OriginalUri(uri)| uri.path());
    // Mounted at /a, both /a and /a/ arrive here as /.
    let base = if here == "/" { whole } else { whole.strip_suffix(here).unwrap_or_default() };
    // A path that began with two slashes would make links to another host.
    format!("/{}", base.trim_matches('/')).trim_end_matches('/').to_owned()
}

/// `/logs/` is `/logs`.
fn without_last_slash(request: &mut Request, path: &str) {
    let trimmed = path.trim_end_matches('/');
    if trimmed.len() == path.len() || path == "/" {
        return;
    }
    let trimmed = if trimmed.is_empty() { "/" } else { trimmed };
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = format!("{trimmed}{query}").parse().ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
}

/// What the page says if this request turns out to be a form from elsewhere.
fn cross_site(headers: &HeaderMap, uri: &Uri) -> Failure {
    let text = |name: &str| words::visible(headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default());
    let host = uri.authority().map_or_else(|| text(HOST.as_str()), ToString::to_string);
    Failure::cross_site(&text(ORIGIN.as_str()), &host, &text("sec-fetch-site"))
}

/// With an entity tag, so that a page that is asked for again and again costs a line while nothing changes.
async fn tagged(response: Response, known: Option<&HeaderValue>) -> Response {
    let (mut parts, body) = response.into_parts();
    // Pages are made in memory: this waits for nothing, and cannot fail.
    let Ok(bytes) = to_bytes(body, usize::MAX).await else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&bytes)[..12]));
    let unchanged = known.is_some_and(|known| known.as_bytes() == tag.as_bytes());
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        parts.headers.insert(ETAG, tag);
    }
    if unchanged {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(CONTENT_TYPE);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// The headers that every answer has.
fn secured(mut response: Response, shared: &Shared) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, shared.csp.clone());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Not `no-referrer`: browsers would then send `Origin: null` with our own forms.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    response
}
