//! One request: who, whose data, where.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use notify_core::{Engine, TenantId, Timestamp};

use crate::access::{Capability, Grant, Scope};
use crate::builder::Shared;
use crate::failure::Failure;
use crate::fields::Fields;
use crate::frame::Theme;
use crate::links::Links;
use crate::words::When;
use crate::zone::Zone;

/// One request of somebody who was let in.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) shared: Arc<Shared>,
    pub(crate) grant: Grant,
    pub(crate) tenant: TenantId,
    pub(crate) links: Links,
    pub(crate) query: Fields,
    pub(crate) theme: Theme,
    pub(crate) zone: Zone,
    /// The path below the mount path, with its query.
    pub(crate) here: String,
    /// Whether it only reads, so that it can be asked for again.
    pub(crate) reads: bool,
    pub(crate) now: Timestamp,
}

impl Visit {
    /// Whose data a request for `?tenant=asked` is about.
    pub(crate) fn tenant_of(scope: &Scope, asked: &str) -> Result<TenantId, Failure> {
        match scope {
            Scope::All if asked.is_empty() => Ok(TenantId::default()),
            Scope::All => asked.parse().map_err(|_| Failure::missing("tenant")),
            Scope::Tenant(own) if asked.is_empty() || asked == own.as_str() => Ok(own.clone()),
            Scope::Tenant(_) => Err(Failure::missing("tenant")),
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.shared.engine
    }

    pub(crate) fn can(&self, capability: Capability) -> bool {
        self.grant.can(capability)
    }

    /// Refuses who lacks this right.
    pub(crate) fn needs(&self, capability: Capability) -> Result<(), Failure> {
        if self.can(capability) { Ok(()) } else { Err(Failure::forbidden(capability)) }
    }

    /// A time as this visitor's pages show it.
    pub(crate) fn when(&self, at: Timestamp) -> When {
        When::new(at, self.zone)
    }

    /// After a form: to a page that says what was done.
    pub(crate) fn go(&self, path: &str, done: &'static str) -> Response {
        Redirect::to(&self.links.with(path, &[("done", done)])).into_response()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        // The gate put it there; without the gate no page is served.
        parts.extensions.get::<Self>().cloned().ok_or_else(Failure::denied)
    }
}
