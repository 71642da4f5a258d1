//! One receiver of a test.

use crate::endpoint::Endpoint;
use crate::id::{EndpointId, TenantId};
use crate::sign::Secret;

/// An endpoint that a test speaks of: made by [`TestNotify::webhook`](super::TestNotify::webhook).
#[derive(Clone, Debug)]
pub struct TestWebhook {
    tenant: TenantId,
    id: EndpointId,
    url: String,
    secret: Secret,
}

impl TestWebhook {
    pub(super) fn new(endpoint: &Endpoint) -> Self {
        Self {
            tenant: endpoint.tenant.clone(),
            id: endpoint.id.clone(),
            url: endpoint.url.as_str().to_owned(),
            secret: endpoint.secrets.current().clone(),
        }
    }

    /// Whose it is.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The endpoint's id, for [`Endpoints`](crate::engine::Endpoints).
    #[must_use]
    pub const fn id(&self) -> &EndpointId {
        &self.id
    }

    /// Where its attempts go.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The secret it had when the test met it.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.secret
    }
}
