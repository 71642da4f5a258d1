//! Endpoints, each one text with its secrets.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;
use notify_core::endpoint::{CustomHeader, Disabled, Endpoint, EndpointStatus, PolicyOverrides};
use notify_core::id::{EventFilter, Version};
use notify_core::sign::{Secret, SecretRole, SecretSet, StoredSecret};
use notify_core::store::{
    Cursor, EndpointAdmin, EndpointDirectory, EndpointQuery, Operation, Page, Replaced, StoreError,
};
use notify_core::{EndpointId, EventType, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::log::{Below, Index};
use crate::open::unexpected_cause;
use crate::reply::{Args, Fields, bytes, list, nonce, text};
use crate::rows::{Unreadable, needed};
use crate::{RedisStore, keys, script};

/// How many endpoints one script reads.
const CHUNK: usize = 200;

#[async_trait]
impl EndpointDirectory for RedisStore {
    async fn subscribed(&self, tenant: &TenantId, event_type: &EventType) -> Result<Vec<Arc<Endpoint>>, StoreError> {
        let mut found = Vec::new();
        let mut below = Below::Any;
        loop {
            let page = self.endpoints_below(tenant, below, CHUNK).await?;
            let Some((last, _)) = page.last() else { break };
            below = Below::Number(*last);
            let more = page.len() == CHUNK;
            found.extend(page.into_iter().map(|(_, endpoint)| endpoint));
            if !more {
                break;
            }
        }
        found.retain(|endpoint| endpoint.filter.matches(event_type));
        // Oldest first, as they were registered.
        found.reverse();
        Ok(found)
    }

    async fn get(&self, ids: &[EndpointId]) -> Result<Vec<Option<Arc<Endpoint>>>, StoreError> {
        let mut endpoints = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(CHUNK) {
            let mut args = Args::new();
            chunk.iter().for_each(|id| {
                args.text(id.as_str());
            });
            let mut found: Vec<Option<Arc<Endpoint>>> = vec![None; chunk.len()];
            let mut failed = None;
            // An endpoint's id does not say whose it is, so every shard is asked.
            let mut answers = self.run_each(Operation::Endpoints, &script::ENDPOINTS, &args);
            while let Some((_, answer)) = answers.next().await {
                match answer {
                    Ok(answer) => {
                        for ((place, id), value) in found.iter_mut().zip(chunk).zip(list(answer)) {
                            let bytes = bytes(value);
                            if place.is_none() && !bytes.is_empty() {
                                *place = Some(read(id, &bytes)?);
                            }
                        }
                    }
                    Err(error) => failed = Some(error),
                }
                if !found.contains(&None) {
                    break;
                }
            }
            if let Some(error) = failed.filter(|_| found.contains(&None)) {
                return Err(error);
            }
            endpoints.extend(found);
        }
        Ok(endpoints)
    }

    async fn disable(&self, id: &EndpointId, disabled: &Disabled) -> Result<bool, StoreError> {
        loop {
            let found = self.get(std::slice::from_ref(id)).await?.pop().flatten();
            let Some(endpoint) = found.filter(|endpoint| endpoint.is_enabled()) else { return Ok(false) };
            let mut next = Endpoint::clone(&endpoint);
            next.status = EndpointStatus::Disabled(disabled.clone());
            next.updated_at = disabled.at;
            next.version = endpoint.version.next();
            match self.replace(endpoint.version, &next).await? {
                Replaced::Written => return Ok(true),
                Replaced::Missing => return Ok(false),
                // Somebody wrote it meanwhile: judge it again.
                Replaced::Stale => {}
            }
        }
    }
}

#[async_trait]
impl EndpointAdmin for RedisStore {
    async fn create(&self, endpoint: &Endpoint) -> Result<(), StoreError> {
        let mut args = Args::new();
        args.text(endpoint.id.as_str()).text(&keys::tenant(&endpoint.tenant));
        args.number(endpoint.version.get()).add(write(endpoint)?);
        let shard = self.shard_of(&endpoint.tenant);
        self.run_safely(Operation::Endpoints, &script::ENDPOINT_CREATE, shard, &args).await.map(drop)
    }

    async fn replace(&self, expected: Version, next: &Endpoint) -> Result<Replaced, StoreError> {
        self.change(&next.tenant, &next.id, expected, next.version, write(next)?).await
    }

    async fn list(&self, query: &EndpointQuery) -> Result<Page<Arc<Endpoint>>, StoreError> {
        let limit = query.page.limit.clamp(1, 100) as usize;
        let mut found = self.endpoints_below(&query.tenant, Below::page(query.page), limit + 1).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|(number, _)| Cursor(*number));
        Ok(Page { items: found.into_iter().map(|(_, endpoint)| endpoint).collect(), next })
    }

    async fn delete(&self, tenant: &TenantId, id: &EndpointId, _at: Timestamp) -> Result<bool, StoreError> {
        // Nothing signs for it any more: its text goes with its secrets.
        let ended = self.change(tenant, id, Version::FIRST, Version::FIRST, Vec::new()).await?;
        Ok(ended == Replaced::Written)
    }
}

impl RedisStore {
    async fn change(
        &self,
        tenant: &TenantId,
        id: &EndpointId,
        expected: Version,
        version: Version,
        written: Vec<u8>,
    ) -> Result<Replaced, StoreError> {
        let nonce = nonce();
        let mut args = Args::new();
        args.text(id.as_str()).text(&keys::tenant(tenant)).number(expected.get()).number(version.get());
        args.add(written).text(&nonce);
        let shard = self.shard_of(tenant);
        let answer = self.run_safely(Operation::Endpoints, &script::ENDPOINT_CHANGE, shard, &args).await?;
        match &text(answer)[..] {
            "written" => Ok(Replaced::Written),
            "stale" => Ok(Replaced::Stale),
            "missing" => Ok(Replaced::Missing),
            _ => Err(StoreError::unavailable(Operation::Endpoints, unexpected_cause("endpoint_change"))),
        }
    }

    async fn endpoints_below(
        &self,
        tenant: &TenantId,
        below: Below,
        many: usize,
    ) -> Result<Vec<(u64, Arc<Endpoint>)>, StoreError> {
        let entries = self.entries(Operation::Endpoints, tenant, &Index::endpoints(tenant), below, many).await?;
        entries
            .into_iter()
            .map(|entry| {
                let id: EndpointId = entry.name.parse().map_err(|_| corrupt(&entry.name, "its id is malformed"))?;
                let written: String =
                    field(&entry.row, "j").map_err(|Unreadable(problem)| corrupt(id.as_str(), &problem))?;
                Ok((entry.number, read(&id, written.as_bytes())?))
            })
            .collect()
    }
}

/// An endpoint as it is stored.
#[derive(Deserialize, Serialize)]
struct StoredEndpoint {
    tenant: String,
    name: String,
    url: String,
    description: String,
    filter: EventFilter,
    headers: Vec<CustomHeader>,
    status: EndpointStatus,
    secrets: Vec<SecretText>,
    policy: PolicyOverrides,
    version: u64,
    created_at: i64,
    updated_at: i64,
}

#[derive(Deserialize, Serialize)]
struct SecretText {
    role: String,
    secret: String,
    created_at: i64,
    retires_at: Option<i64>,
}

fn write(endpoint: &Endpoint) -> Result<Vec<u8>, StoreError> {
    let secrets = endpoint.secrets.iter().map(|stored| SecretText {
        role: stored.role.as_str().to_owned(),
        secret: stored.secret.expose().to_owned(),
        created_at: stored.created_at.as_millis(),
        retires_at: stored.retires_at.map(Timestamp::as_millis),
    });
    let stored = StoredEndpoint {
        tenant: endpoint.tenant.to_string(),
        name: endpoint.name.to_string(),
        url: endpoint.url.to_string(),
        description: endpoint.description.clone(),
        filter: endpoint.filter.clone(),
        headers: endpoint.headers.clone(),
        status: endpoint.status.clone(),
        secrets: secrets.collect(),
        policy: endpoint.policy.clone(),
        version: endpoint.version.get(),
        created_at: endpoint.created_at.as_millis(),
        updated_at: endpoint.updated_at.as_millis(),
    };
    // The serialiser's own text might hold a header's value.
    serde_json::to_vec(&stored).map_err(|_| corrupt(endpoint.id.as_str(), "it cannot be written as JSON"))
}

fn read(id: &EndpointId, written: &[u8]) -> Result<Arc<Endpoint>, StoreError> {
    let malformed = |what: &str| corrupt(id.as_str(), &format!("its {what} is malformed"));
    // The parser's own text might quote a secret.
    let stored: StoredEndpoint = serde_json::from_slice(written).map_err(|_| malformed("text"))?;
    let secrets = stored.secrets.into_iter().map(|stored| {
        Some(StoredSecret {
            role: SecretRole::parse(&stored.role)?,
            secret: Secret::new(stored.secret).ok()?,
            created_at: Timestamp::from_millis(stored.created_at),
            retires_at: stored.retires_at.map(Timestamp::from_millis),
        })
    });
    let secrets = secrets.collect::<Option<Vec<_>>>().ok_or_else(|| malformed("secrets"))?;
    Ok(Arc::new(Endpoint {
        id: id.clone(),
        tenant: stored.tenant.parse().map_err(|_| malformed("tenant"))?,
        name: stored.name.parse().map_err(|_| malformed("name"))?,
        url: stored.url.parse().map_err(|_| malformed("url"))?,
        description: stored.description,
        filter: stored.filter,
        headers: stored.headers,
        status: stored.status,
        secrets: SecretSet::restore(secrets).ok_or_else(|| malformed("secrets"))?,
        policy: stored.policy,
        version: Version::new(stored.version),
        created_at: Timestamp::from_millis(stored.created_at),
        updated_at: Timestamp::from_millis(stored.updated_at),
    }))
}

fn field(fields: &Fields, name: &str) -> Result<String, Unreadable> {
    needed(fields, name)
}

fn corrupt(record: &str, problem: &str) -> StoreError {
    StoreError::Corrupt { record: record.to_owned(), problem: problem.to_owned() }
}
