//! The endpoints of a simulated world.

use std::time::Duration;

use crate::endpoint::{CustomHeader, Endpoint, EndpointStatus, PolicyOverrides};
use crate::id::{EndpointId, EventFilter, TenantId, Version};
use crate::input::InvalidInput;
use crate::sign::{Secret, SecretRole, SecretSet, StoredSecret};
use crate::time::Timestamp;

use super::scenario::PlannedEndpoint;

/// What secrets and values of custom headers hold, and no signature that is sent back can: must be in no log.
pub(super) const CANARIES: [&str; 3] = ["whsec_", PLAIN, HEADER];
const PLAIN: &str = "whsec-plain";
const HEADER: &str = "canary-";

/// The value of the custom header of an endpoint.
fn header_value(index: usize) -> String {
    format!("Bearer {HEADER}{index:03}")
}

/// The id of an endpoint; `None` never happens, since the text is one.
pub(super) fn endpoint_id(index: usize) -> Option<EndpointId> {
    format!("ep_{index:03}").parse().ok()
}

pub(super) fn endpoint(index: usize, plan: &PlannedEndpoint, now: Timestamp) -> Result<Endpoint, InvalidInput> {
    let invalid = || InvalidInput::new("endpoint", "NTF-SIM", "is not as the simulator makes it");
    let filter = match plan.filter {
        None => EventFilter::all(),
        Some(pattern) => EventFilter::new([pattern]).map_err(|_| invalid())?,
    };
    Ok(Endpoint {
        id: endpoint_id(index).ok_or_else(invalid)?,
        tenant: TenantId::default(),
        name: format!("receiver {index}").parse()?,
        url: format!("https://receiver{index}.example/hook").parse()?,
        description: String::new(),
        filter,
        headers: vec![CustomHeader::new("authorization", &header_value(index))?],
        status: EndpointStatus::Enabled,
        secrets: SecretSet::new(secret(index, 0, plan), now),
        policy: PolicyOverrides {
            schedule: plan.schedule.clone(),
            success: plan.rule,
            timeout: plan.timeout,
            ..PolicyOverrides::default()
        },
        version: Version::FIRST,
        created_at: now,
        updated_at: now,
    })
}

/// The secret of an endpoint after so many rotations.
fn secret(index: usize, rotation: u64, plan: &PlannedEndpoint) -> Secret {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&(index as u64).to_be_bytes());
    bytes[8..16].copy_from_slice(&rotation.to_be_bytes());
    let generated = Secret::generate(&bytes);
    if !plan.plain_secret {
        return generated;
    }
    Secret::new(format!("{PLAIN}-{index}-{rotation}")).unwrap_or(generated)
}

/// The next secret becomes the current one, and the one before stays for a while.
pub(super) fn rotate(endpoint: &mut Endpoint, index: usize, plan: &PlannedEndpoint, now: Timestamp) {
    let next = secret(index, endpoint.version.get(), plan);
    let before = endpoint.secrets.current().clone();
    let retires_at = Some(now.saturating_add(Duration::from_secs(3600)));
    let secrets = vec![
        StoredSecret { role: SecretRole::Current, secret: next, created_at: now, retires_at: None },
        StoredSecret { role: SecretRole::Previous, secret: before, created_at: now, retires_at },
    ];
    if let Some(secrets) = SecretSet::restore(secrets) {
        endpoint.secrets = secrets;
    }
}
