//! An endpoint for this crate's own tests, which change what they are about.

use crate::id::{EventFilter, TenantId, Version};
use crate::sign::{Secret, SecretSet};
use crate::time::Timestamp;

use super::{Endpoint, EndpointStatus, PolicyOverrides};

/// An enabled endpoint of the default tenant that wants every event, named like its id.
pub(crate) fn sample(id: &str) -> Endpoint {
    Endpoint {
        id: id.parse().unwrap(),
        tenant: TenantId::default(),
        name: id.parse().unwrap(),
        url: "https://h/x".parse().unwrap(),
        description: String::new(),
        filter: EventFilter::all(),
        headers: Vec::new(),
        status: EndpointStatus::Enabled,
        secrets: SecretSet::new(Secret::generate(&[7; 32]), Timestamp::EPOCH),
        policy: PolicyOverrides::default(),
        version: Version::FIRST,
        created_at: Timestamp::EPOCH,
        updated_at: Timestamp::EPOCH,
    }
}
