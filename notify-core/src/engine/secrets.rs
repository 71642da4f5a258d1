//! An endpoint's secrets: rotation in one call or in stages, and the one way to see a secret again.

use std::sync::Arc;
use std::time::Duration;

use crate::endpoint::Endpoint;
use crate::id::{EndpointId, TenantId};
use crate::observe::Observation;
use crate::sign::Secret;

use super::endpoints::{Endpoints, who};
use super::entropy::draw;
use super::error::ControlError;

/// How long a secret signs on after another has taken its place, unless the caller says otherwise: 24 hours.
pub const DEFAULT_OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);

/// Whether a secret is shown again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reveal {
    Never,
    Audited,
}

impl Endpoints {
    /// Makes a new secret the current one, and answers with it: the one time that it is shown. The old one signs
    /// beside it, in `x-notify-signature-previous` and `webhook-signature`, for `overlap` more; with an overlap of zero it
    /// goes at once. Rotating again before that ends retires the oldest at once. Of rotations that race all land.
    ///
    /// # Errors
    /// [`ControlError::NotFound`]. After [`StoreError::Unavailable`](crate::store::StoreError::Unavailable) the
    /// secret may have been rotated to one that nobody saw: rotate again.
    pub async fn rotate_secret(
        &self,
        tenant: &TenantId,
        id: &EndpointId,
        overlap: Duration,
    ) -> Result<Secret, ControlError> {
        let secret = self.generate()?;
        let now = self.shared.now();
        self.replace(tenant, id, |endpoint| {
            endpoint.secrets = endpoint.secrets.rotated(secret.clone(), now, overlap);
            Ok(())
        })
        .await?;
        Ok(secret)
    }

    /// Makes a new secret that signs beside the current one, in `x-notify-signature-next` and `webhook-signature`, and
    /// answers with it: the one time that it is shown. One that was staged before goes.
    ///
    /// # Errors
    /// [`ControlError::NotFound`], or the store does not answer: stage again.
    pub async fn stage_secret(&self, tenant: &TenantId, id: &EndpointId) -> Result<Secret, ControlError> {
        let secret = self.generate()?;
        let now = self.shared.now();
        self.replace(tenant, id, |endpoint| {
            endpoint.secrets = endpoint.secrets.with_staged(secret.clone(), now);
            Ok(())
        })
        .await?;
        Ok(secret)
    }

    /// Makes the staged secret the current one. The old one signs on for `overlap`, as in
    /// [`rotate_secret`](Self::rotate_secret).
    ///
    /// # Errors
    /// [`ControlError::NothingStaged`], also where an earlier call did it; [`ControlError::NotFound`].
    pub async fn switch_secret(
        &self,
        tenant: &TenantId,
        id: &EndpointId,
        overlap: Duration,
    ) -> Result<Arc<Endpoint>, ControlError> {
        let now = self.shared.now();
        self.replace(tenant, id, |endpoint| {
            endpoint.secrets = endpoint.secrets.switched(now, overlap).ok_or(ControlError::NothingStaged)?;
            Ok(())
        })
        .await
    }

    /// Ends the overlap now: the previous secret signs no longer. Without one it does nothing.
    ///
    /// # Errors
    /// [`ControlError::NotFound`], or the store does not answer: repeat it.
    pub async fn retire_secret(&self, tenant: &TenantId, id: &EndpointId) -> Result<Arc<Endpoint>, ControlError> {
        let now = self.shared.now();
        self.replace(tenant, id, |endpoint| {
            endpoint.secrets = endpoint.secrets.without_previous(now);
            Ok(())
        })
        .await
    }

    /// Shows the current secret again, and tells the observer that `by` saw it. Only where the engine was built with
    /// [`reveal_secrets`](super::EngineBuilder::reveal_secrets).
    ///
    /// # Errors
    /// [`ControlError::RevealOff`]; [`ControlError::NotFound`].
    pub async fn reveal_secret(&self, tenant: &TenantId, id: &EndpointId, by: &str) -> Result<Secret, ControlError> {
        if self.shared.reveal == Reveal::Never {
            return Err(ControlError::RevealOff);
        }
        let endpoint = self.get(tenant, id).await?;
        self.shared.observe(&Observation::SecretRevealed { endpoint: id, by: &who(by) });
        Ok(endpoint.secrets.current().clone())
    }

    pub(super) fn generate(&self) -> Result<Secret, ControlError> {
        Ok(Secret::generate(&draw(&*self.shared.entropy).map_err(ControlError::Entropy)?))
    }
}
