//! Endpoints, each with its secrets.

use std::sync::Arc;

use notify_core::endpoint::Endpoint;
use notify_core::id::Version;
use notify_core::sign::{Secret, SecretRole, SecretSet, StoredSecret};
use notify_core::store::{Cursor, EndpointQuery, Page, StoreError};
use notify_core::{EndpointId, EventType, TenantId, Timestamp};
use rusqlite::{Connection, Row, Rows, params};
use serde::de::DeserializeOwned;

use crate::rows::{Unreadable, column};

type Answer<T> = rusqlite::Result<Result<T, StoreError>>;

/// One row for each secret; the rows of an endpoint follow each other.
macro_rules! select_endpoints {
    ($tail:literal) => {
        concat!(
            "SELECT p.id, p.uid, t.uid, p.name, p.url, p.description, p.filter, p.headers, p.status, p.policy,
                    p.version, p.created_at, p.updated_at, s.role, s.secret, s.created_at, s.retires_at
             FROM endpoint p
             LEFT JOIN tenant t ON t.id = p.tenant
             LEFT JOIN secret s ON s.endpoint = p.id ",
            $tail
        )
    };
}

pub(crate) fn subscribed(conn: &Connection, tenant: &TenantId, event_type: &EventType) -> Answer<Vec<Arc<Endpoint>>> {
    let mut statement = conn.prepare_cached(select_endpoints!(
        "WHERE p.tenant = (SELECT id FROM tenant WHERE uid = ?1) AND p.deleted_at IS NULL ORDER BY p.id"
    ))?;
    let found = read_all(statement.query([tenant.as_str()])?)?;
    Ok(found.map(|found| {
        found.into_iter().map(|(_, endpoint)| endpoint).filter(|found| found.filter.matches(event_type)).collect()
    }))
}

pub(crate) fn get(conn: &Connection, ids: &[EndpointId]) -> Answer<Vec<Option<Arc<Endpoint>>>> {
    let mut statement = conn.prepare_cached(select_endpoints!("WHERE p.uid = ?1 AND p.deleted_at IS NULL"))?;
    let mut endpoints = Vec::with_capacity(ids.len());
    for id in ids {
        match read_all(statement.query([id.as_str()])?)? {
            Ok(found) => endpoints.push(found.into_iter().next().map(|(_, endpoint)| endpoint)),
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(endpoints))
}

pub(crate) fn list(conn: &Connection, query: &EndpointQuery) -> Answer<Page<Arc<Endpoint>>> {
    let limit = query.page.limit.clamp(1, 100) as usize;
    let below = query.page.after.map_or(i64::MAX, |cursor| i64::try_from(cursor.0).unwrap_or(i64::MAX));
    // The page is cut before the join: an endpoint has several secrets.
    let mut statement = conn.prepare_cached(select_endpoints!(
        "WHERE p.id IN (SELECT id FROM endpoint
             WHERE tenant = (SELECT id FROM tenant WHERE uid = ?1) AND deleted_at IS NULL AND id < ?2
             ORDER BY id DESC LIMIT ?3)
         ORDER BY p.id DESC"
    ))?;
    let found = read_all(statement.query(params![query.tenant.as_str(), below, limit as i64 + 1])?)?;
    Ok(found.map(|mut found| {
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|(id, _)| Cursor(id.unsigned_abs()));
        Page { items: found.into_iter().map(|(_, endpoint)| endpoint).collect(), next }
    }))
}

/// Puts the rows of each endpoint together.
fn read_all(mut rows: Rows<'_>) -> Answer<Vec<(i64, Arc<Endpoint>)>> {
    let mut endpoints = Vec::new();
    let mut open: Option<(i64, Result<Endpoint, StoreError>, Vec<StoredSecret>)> = None;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        if open.as_ref().is_none_or(|(last, ..)| *last != id) {
            if let Err(error) = close(open.take(), &mut endpoints) {
                return Ok(Err(error));
            }
            let endpoint = endpoint(row).map_err(|problem| corrupt(row, problem));
            open = Some((id, endpoint, Vec::new()));
        }
        if let Some((_, endpoint, secrets)) = &mut open {
            match secret(row) {
                Ok(found) => secrets.push(found),
                Err(problem) => *endpoint = Err(corrupt(row, problem)),
            }
        }
    }
    Ok(close(open, &mut endpoints).map(|()| endpoints))
}

fn close(
    open: Option<(i64, Result<Endpoint, StoreError>, Vec<StoredSecret>)>,
    endpoints: &mut Vec<(i64, Arc<Endpoint>)>,
) -> Result<(), StoreError> {
    let Some((id, endpoint, secrets)) = open else { return Ok(()) };
    let mut endpoint = endpoint?;
    endpoint.secrets = SecretSet::restore(secrets).ok_or_else(|| StoreError::Corrupt {
        record: endpoint.id.to_string(),
        problem: "its secrets are incomplete".to_owned(),
    })?;
    endpoints.push((id, Arc::new(endpoint)));
    Ok(())
}

/// The endpoint without its secrets, which come with the next rows.
fn endpoint(row: &Row<'_>) -> Result<Endpoint, Unreadable> {
    let created_at = Timestamp::from_millis(column(row, 11, "created_at")?);
    let blank = Secret::new("not yet read").map_err(|_| Unreadable::new("secret is malformed"))?;
    Ok(Endpoint {
        id: parsed(row, 1, "id")?,
        tenant: parsed(row, 2, "tenant")?,
        name: parsed(row, 3, "name")?,
        url: parsed(row, 4, "url")?,
        description: column(row, 5, "description")?,
        filter: json(row, 6, "filter")?,
        headers: json(row, 7, "headers")?,
        status: json(row, 8, "status")?,
        secrets: SecretSet::new(blank, created_at),
        policy: json(row, 9, "policy")?,
        version: Version::new(column::<i64>(row, 10, "version")?.unsigned_abs()),
        created_at,
        updated_at: Timestamp::from_millis(column(row, 12, "updated_at")?),
    })
}

fn secret(row: &Row<'_>) -> Result<StoredSecret, Unreadable> {
    let role: String = column(row, 13, "secret's role")?;
    let text: String = column(row, 14, "secret")?;
    Ok(StoredSecret {
        role: SecretRole::parse(&role).ok_or_else(|| Unreadable::new("secret's role is unknown"))?,
        secret: Secret::new(text).map_err(|_| Unreadable::new("secret is malformed"))?,
        created_at: Timestamp::from_millis(column(row, 15, "secret's created_at")?),
        retires_at: column::<Option<i64>>(row, 16, "secret's retires_at")?.map(Timestamp::from_millis),
    })
}

fn corrupt(row: &Row<'_>, problem: Unreadable) -> StoreError {
    let record = column::<String>(row, 1, "id").unwrap_or_else(|_| "endpoint".to_owned());
    StoreError::Corrupt { record, problem: problem.into_problem() }
}

fn parsed<T: std::str::FromStr>(row: &Row<'_>, index: usize, name: &str) -> Result<T, Unreadable> {
    let text: String = column(row, index, name)?;
    text.parse().map_err(|_| Unreadable::new(format!("{name} is malformed")))
}

fn json<T: DeserializeOwned>(row: &Row<'_>, index: usize, name: &str) -> Result<T, Unreadable> {
    let text: String = column(row, index, name)?;
    // The parser's own text might quote a header's value.
    serde_json::from_str(&text).map_err(|_| Unreadable::new(format!("{name} is malformed")))
}
