//! The names of webhooks, read once for a page.

use std::collections::BTreeMap;

use notify_core::EndpointId;
use notify_core::engine::ControlError;

use crate::failure::Failure;
use crate::visit::Visit;
use crate::words::visible;

/// A name for each webhook that a page mentions.
#[derive(Debug)]
pub(super) struct Names(BTreeMap<EndpointId, Option<String>>);

impl Names {
    /// Reads the names of these, each once.
    pub(super) async fn of(visit: &Visit, ids: &[&EndpointId]) -> Result<Self, Failure> {
        let mut names = BTreeMap::new();
        for id in ids {
            if names.contains_key(*id) {
                continue;
            }
            let name = match visit.engine().endpoints().get(&visit.tenant, id).await {
                Ok(endpoint) => Some(visible(endpoint.name.as_str())),
                Err(ControlError::NotFound) => None,
                Err(error) => return Err(error.into()),
            };
            names.insert(EndpointId::clone(id), name);
        }
        Ok(Self(names))
    }

    /// The name; of one that is deleted, its id.
    pub(super) fn get(&self, id: &EndpointId) -> String {
        self.0.get(id).cloned().flatten().unwrap_or_else(|| format!("{id} (deleted)"))
    }

    /// Whether the webhook is still there.
    pub(super) fn exists(&self, id: &EndpointId) -> bool {
        self.0.get(id).is_some_and(Option::is_some)
    }
}
