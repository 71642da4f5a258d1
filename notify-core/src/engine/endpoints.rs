//! Registering, reading and changing endpoints.

use std::sync::Arc;

use crate::dispatch::DispatchInput;
use crate::endpoint::{DisableReason, Disabled, Endpoint, EndpointPatch, EndpointStatus, NewEndpoint, PolicyOverrides};
use crate::id::{EndpointId, EventFilter, TenantId, Version};
use crate::input::InvalidInput;
use crate::observe::Observation;
use crate::sign::{Secret, SecretSet};
use crate::store::{EndpointQuery, Operation, Page, Replaced, StoreError, SweepAction};

use super::error::ControlError;
use super::held::{sweep, try_look_again};
use super::shared::{RACES, STORE_DEADLINE, Shared, lock};

/// Endpoints of this engine's store. A cheap handle.
#[derive(Clone, Debug)]
pub struct Endpoints {
    pub(super) shared: Arc<Shared>,
}

/// A new endpoint with its secret: the one time that it is shown.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CreatedEndpoint {
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// Its secret, for the receiver.
    pub secret: Secret,
}

/// What becomes of the deliveries that were held while an endpoint was disabled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Backlog {
    /// They are sent.
    Resume,
    /// They are cancelled: see [`Endpoints::enable`].
    Cancel,
}

impl Endpoints {
    pub(super) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Registers an endpoint: a name and a URL are enough.
    ///
    /// # Errors
    /// [`ControlError::Invalid`] names the field; nothing is stored.
    pub async fn create(&self, new: NewEndpoint) -> Result<CreatedEndpoint, ControlError> {
        let shared = &self.shared;
        let now = shared.now();
        let secret = match new.secret {
            Some(secret) => secret,
            None => self.generate()?,
        };
        // In the row's first writing: between two writes an event could slip through and be sent.
        let status = match new.disabled_by {
            None => EndpointStatus::Enabled,
            Some(by) => EndpointStatus::Disabled(Disabled { reason: DisableReason::Operator, at: now, by: who(&by) }),
        };
        let mut endpoint = Endpoint {
            id: EndpointId::from_xid(shared.xids.next(now)),
            tenant: new.tenant,
            name: new.name.parse()?,
            url: new.url.parse()?,
            description: String::new(),
            filter: EventFilter::all(),
            headers: Vec::new(),
            status,
            secrets: SecretSet::new(secret.clone(), now),
            policy: PolicyOverrides::default(),
            version: Version::FIRST,
            created_at: now,
            updated_at: now,
        };
        self.change(&mut endpoint, &new.options)?;
        self.call(shared.admin.create(&endpoint)).await?;
        lock(&shared.subscriptions).clear();
        if secret.is_weak() {
            shared.observe(&Observation::WeakSecret { endpoint: &endpoint.id });
        }
        Ok(CreatedEndpoint { endpoint: Arc::new(endpoint), secret })
    }

    /// One endpoint of this tenant.
    ///
    /// # Errors
    /// [`ControlError::NotFound`], also for another tenant's.
    pub async fn get(&self, tenant: &TenantId, id: &EndpointId) -> Result<Arc<Endpoint>, ControlError> {
        let found = self.call(self.shared.directory.get(std::slice::from_ref(id))).await?;
        let endpoint = found.into_iter().next().flatten().filter(|endpoint| endpoint.tenant == *tenant);
        endpoint.ok_or(ControlError::NotFound)
    }

    /// A page of endpoints, newest first.
    ///
    /// # Errors
    /// The page's limit is not 1 to 100, or the store does not answer.
    pub async fn list(&self, query: &EndpointQuery) -> Result<Page<Arc<Endpoint>>, ControlError> {
        query.page.validate()?;
        Ok(self.call(self.shared.admin.list(query)).await?)
    }

    /// Changes an endpoint. Attempts that start after this returned use the new values, of old events too.
    ///
    /// # Errors
    /// [`ControlError::Invalid`] names the field; nothing is changed. [`ControlError::NotFound`].
    pub async fn update(
        &self,
        tenant: &TenantId,
        id: &EndpointId,
        patch: &EndpointPatch,
    ) -> Result<Arc<Endpoint>, ControlError> {
        self.replace(tenant, id, |endpoint| self.change(endpoint, patch)).await
    }

    /// Disables an endpoint: its deliveries are held, and so is what is published meanwhile. No new attempt starts
    /// after this returned. `by` says who, in the host's words. Where its backlog is being cancelled that stops, and
    /// what is left of it stays held.
    ///
    /// # Errors
    /// [`ControlError::NotFound`], or the store does not answer: repeat it.
    pub async fn disable(&self, tenant: &TenantId, id: &EndpointId, by: &str) -> Result<Arc<Endpoint>, ControlError> {
        let at = self.shared.now();
        let by = who(by);
        let endpoint = self
            .replace(tenant, id, |endpoint| {
                if !is_kept_disabled(&endpoint.status) {
                    let (reason, by) = (DisableReason::Operator, by.clone());
                    endpoint.status = EndpointStatus::Disabled(Disabled { reason, at, by });
                }
                Ok(())
            })
            .await?;
        sweep(&self.shared, id, SweepAction::Hold).await?;
        // Somebody may have enabled or deleted it since it was read: their sweep came before this one.
        try_look_again(&self.shared, std::slice::from_ref(id)).await?;
        Ok(endpoint)
    }

    /// Enables an endpoint, and resumes or cancels what was held.
    ///
    /// [`Backlog::Cancel`] takes several steps. First the endpoint is marked ([`DisableReason::Cancelling`]), then what
    /// was published before that and is held is cancelled, then the endpoint is enabled. What is published meanwhile is
    /// sent. Whoever enables, disables or deletes the endpoint in between wins: nothing more is cancelled. A delivery
    /// whose request is under way is left alone, and goes on by its schedule.
    ///
    /// # Errors
    /// [`ControlError::NotFound`], or the store does not answer: repeat it. [`ControlError::Contended`] where somebody
    /// else changed whether it is enabled while its backlog was being cancelled: the endpoint is as they left it, and a
    /// part of the backlog may be cancelled.
    ///
    /// # Cancel safety
    /// A dropped call has done a part of it or all: repeat it. An endpoint that is left marked stays disabled.
    pub async fn enable(
        &self,
        tenant: &TenantId,
        id: &EndpointId,
        backlog: Backlog,
    ) -> Result<Arc<Endpoint>, ControlError> {
        let endpoint = match backlog {
            Backlog::Cancel => self.enable_without_backlog(tenant, id).await?,
            Backlog::Resume => {
                self.replace(tenant, id, |endpoint| {
                    endpoint.status = EndpointStatus::Enabled;
                    Ok(())
                })
                .await?
            }
        };
        sweep(&self.shared, id, SweepAction::Release).await?;
        self.shared.push_if_running(DispatchInput::Wake);
        Ok(endpoint)
    }

    /// Deletes an endpoint: its open deliveries are cancelled, its log stays. No new attempt starts after this
    /// returned.
    ///
    /// # Errors
    /// [`ControlError::NotFound`], or the store does not answer: repeat it.
    pub async fn delete(&self, tenant: &TenantId, id: &EndpointId) -> Result<(), ControlError> {
        let now = self.shared.now();
        let existed = self.call(self.shared.admin.delete(tenant, id, now)).await?;
        if !existed {
            let still_there = self.call(self.shared.directory.get(std::slice::from_ref(id))).await?;
            if still_there.into_iter().flatten().next().is_some() {
                return Err(ControlError::NotFound);
            }
        }
        // Also where it was gone already: a delete that is repeated after an outage must finish the first one's work.
        self.changed(id);
        sweep(&self.shared, id, SweepAction::Cancel).await?;
        if existed { Ok(()) } else { Err(ControlError::NotFound) }
    }

    fn change(&self, endpoint: &mut Endpoint, patch: &EndpointPatch) -> Result<(), ControlError> {
        patch.apply_to(endpoint)?;
        self.shared.transport.check(endpoint.url.as_str())?;
        let limit = self.shared.config.policy.timeout;
        if endpoint.policy.timeout.is_some_and(|timeout| timeout.is_zero() || timeout > limit) {
            let why = format!("must be above 0 and at most the engine's {} ms", limit.as_millis());
            return Err(InvalidInput::new("timeout", "NTF-TIMEOUT", why).into());
        }
        Ok(())
    }

    /// Compare-and-set until nobody else wrote in between.
    pub(super) async fn replace(
        &self,
        tenant: &TenantId,
        id: &EndpointId,
        change: impl Fn(&mut Endpoint) -> Result<(), ControlError> + Send,
    ) -> Result<Arc<Endpoint>, ControlError> {
        for _ in 0..RACES {
            let before = self.get(tenant, id).await?;
            let mut next = Endpoint::clone(&before);
            change(&mut next)?;
            if next == *before {
                // An earlier try may have written it without learning so.
                self.changed(id);
                return Ok(before);
            }
            next.version = before.version.next();
            next.updated_at = self.shared.now();
            match self.call(self.shared.admin.replace(before.version, &next)).await? {
                Replaced::Written => {
                    self.changed(id);
                    return Ok(Arc::new(next));
                }
                Replaced::Missing => return Err(ControlError::NotFound),
                Replaced::Stale => {}
            }
        }
        Err(ControlError::Contended)
    }

    /// This engine's own changes act at once.
    fn changed(&self, id: &EndpointId) {
        lock(&self.shared.subscriptions).clear();
        // Given to the dispatcher itself, not to its inbox: once this returned, nothing read before is used.
        if let Some(dispatcher) = lock(&self.shared.dispatcher).as_mut() {
            dispatcher.endpoint_changed(id.clone());
        }
        self.shared.bell.notify_one();
    }

    async fn call<T>(&self, work: impl Future<Output = Result<T, StoreError>> + Send) -> Result<T, StoreError> {
        self.shared.within(STORE_DEADLINE, Operation::Endpoints, work).await
    }
}

/// Disabled, and nobody is about to enable it once its backlog is cancelled.
pub(crate) const fn is_kept_disabled(status: &EndpointStatus) -> bool {
    matches!(status, EndpointStatus::Disabled(Disabled { reason: DisableReason::Operator, .. }))
}

/// Who did it, in the host's words: fit for a log line.
pub(super) fn who(by: &str) -> String {
    by.chars().filter(|c| !c.is_control()).take(128).collect()
}
