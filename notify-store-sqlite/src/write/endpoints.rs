//! Endpoints and their secrets.

use notify_core::endpoint::{CustomHeader, Disabled, Endpoint, EndpointStatus};
use notify_core::id::Version;
use notify_core::store::{Replaced, StoreError};
use notify_core::{EndpointId, TenantId, Timestamp};
use rusqlite::{OptionalExtension, params};

use crate::rows::{millis, signed};

use super::Tx;

/// What the table keeps as JSON.
struct Texts {
    filter: String,
    headers: String,
    status: String,
    policy: String,
}

impl Texts {
    fn of(endpoint: &Endpoint) -> rusqlite::Result<Self> {
        Ok(Self {
            filter: json(&endpoint.filter)?,
            headers: json::<Vec<CustomHeader>>(&endpoint.headers)?,
            status: json(&endpoint.status)?,
            policy: json(&endpoint.policy)?,
        })
    }
}

pub(crate) fn create(tx: &mut Tx<'_>, endpoint: &Endpoint) -> rusqlite::Result<()> {
    let tenant = tx.tenant(&endpoint.tenant)?;
    let number = tx.next_number()?;
    let texts = Texts::of(endpoint)?;
    let written = tx
        .conn
        .prepare_cached(
            "INSERT INTO endpoint(id, uid, tenant, name, url, description, filter, headers, status, policy, version,
                    created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) ON CONFLICT(uid) DO NOTHING",
        )?
        .execute(params![
            number,
            endpoint.id.as_str(),
            tenant,
            endpoint.name.as_str(),
            endpoint.url.as_str(),
            endpoint.description,
            texts.filter,
            texts.headers,
            texts.status,
            texts.policy,
            signed(endpoint.version.get()),
            endpoint.created_at.as_millis(),
            endpoint.updated_at.as_millis(),
        ])?;
    if written > 0 {
        write_secrets(tx, number, endpoint)?;
        tx.note();
    }
    Ok(())
}

pub(crate) fn replace(tx: &mut Tx<'_>, expected: Version, next: &Endpoint) -> rusqlite::Result<Replaced> {
    let found: Option<(i64, i64)> = tx
        .conn
        .prepare_cached("SELECT id, version FROM endpoint WHERE uid = ?1 AND deleted_at IS NULL")?
        .query_row([next.id.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((number, version)) = found else { return Ok(Replaced::Missing) };
    if version != signed(expected.get()) {
        return Ok(Replaced::Stale);
    }
    let tenant = tx.tenant(&next.tenant)?;
    let texts = Texts::of(next)?;
    tx.conn
        .prepare_cached(
            "UPDATE endpoint SET tenant = ?2, name = ?3, url = ?4, description = ?5, filter = ?6, headers = ?7,
                    status = ?8, policy = ?9, version = ?10, created_at = ?11, updated_at = ?12
             WHERE id = ?1",
        )?
        .execute(params![
            number,
            tenant,
            next.name.as_str(),
            next.url.as_str(),
            next.description,
            texts.filter,
            texts.headers,
            texts.status,
            texts.policy,
            signed(next.version.get()),
            next.created_at.as_millis(),
            next.updated_at.as_millis(),
        ])?;
    tx.conn.prepare_cached("DELETE FROM secret WHERE endpoint = ?1")?.execute([number])?;
    write_secrets(tx, number, next)?;
    tx.note();
    Ok(Replaced::Written)
}

pub(crate) fn disable(
    tx: &mut Tx<'_>,
    id: &EndpointId,
    disabled: &Disabled,
) -> rusqlite::Result<Result<bool, StoreError>> {
    let found: Option<(i64, String)> = tx
        .conn
        .prepare_cached("SELECT id, status FROM endpoint WHERE uid = ?1 AND deleted_at IS NULL")?
        .query_row([id.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((number, status)) = found else { return Ok(Ok(false)) };
    match serde_json::from_str(&status) {
        Ok(EndpointStatus::Enabled) => {}
        Ok(EndpointStatus::Disabled(_)) => return Ok(Ok(false)),
        Err(_) => {
            let problem = "status is malformed".to_owned();
            return Ok(Err(StoreError::Corrupt { record: id.to_string(), problem }));
        }
    }
    let status = json(&EndpointStatus::Disabled(disabled.clone()))?;
    tx.conn
        .prepare_cached("UPDATE endpoint SET status = ?2, version = version + 1, updated_at = ?3 WHERE id = ?1")?
        .execute(params![number, status, disabled.at.as_millis()])?;
    tx.note();
    Ok(Ok(true))
}

pub(crate) fn delete(tx: &mut Tx<'_>, tenant: &TenantId, id: &EndpointId, at: Timestamp) -> rusqlite::Result<bool> {
    let Some(tenant) = tx.known_tenant(tenant)? else { return Ok(false) };
    let found: Option<i64> = tx
        .conn
        .prepare_cached("SELECT id FROM endpoint WHERE uid = ?1 AND tenant = ?2 AND deleted_at IS NULL")?
        .query_row(params![id.as_str(), tenant], |row| row.get(0))
        .optional()?;
    let Some(number) = found else { return Ok(false) };
    tx.conn
        .prepare_cached("UPDATE endpoint SET deleted_at = ?2, updated_at = ?2, headers = '[]' WHERE id = ?1")?
        .execute([number, at.as_millis()])?;
    tx.conn.prepare_cached("DELETE FROM secret WHERE endpoint = ?1")?.execute([number])?;
    tx.note();
    Ok(true)
}

fn write_secrets(tx: &Tx<'_>, number: i64, endpoint: &Endpoint) -> rusqlite::Result<()> {
    let mut statement = tx.conn.prepare_cached(
        "INSERT INTO secret(endpoint, role, secret, created_at, retires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for stored in endpoint.secrets.iter() {
        statement.execute(params![
            number,
            stored.role.as_str(),
            stored.secret.expose(),
            stored.created_at.as_millis(),
            millis(stored.retires_at),
        ])?;
    }
    Ok(())
}

fn json<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    // The value's own text might hold a header's value: only the kind of failure is told.
    serde_json::to_string(value).map_err(|_| rusqlite::Error::ToSqlConversionFailure("not serialisable as JSON".into()))
}
