//! The delivery log: single rows, and the counts.

use notify_core::delivery::{Attempt, Delivery};
use notify_core::event::EventKey;
use notify_core::store::{Cursor, EventRecord, Page, PageRequest, Stats, StoreError};
use notify_core::{DeliveryId, TenantId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Statement, params};

use crate::rows::{self, Unreadable, select_deliveries, select_events, state_of};

use super::list::limit;

type Answer<T> = rusqlite::Result<Result<T, StoreError>>;

const LOAD: &str = select_deliveries!("WHERE d.uid = ?1");
const ATTEMPTS: &str =
    "SELECT number, round, started_at, duration_nanos, outcome, status_code, error, detail, url, response,
                response_truncated, peer, timing
         FROM attempt WHERE delivery = (SELECT id FROM delivery WHERE uid = ?1) ORDER BY number";
const EVENT: &str = select_events!("WHERE e.tenant = (SELECT id FROM tenant WHERE uid = ?1) AND e.uid = ?2");
const DELIVERIES_OF_EVENT: &str = select_deliveries!("WHERE d.event = ?1 ORDER BY d.id");

const TENANTS_WITH_HELD: &str = "
    SELECT y.tenant, t.uid FROM tally y JOIN tenant t ON t.id = y.tenant
    WHERE y.tenant > ?1 AND y.state = 3 AND y.n > 0 ORDER BY y.tenant";

/// For the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[LOAD, ATTEMPTS, EVENT, DELIVERIES_OF_EVENT, TENANTS_WITH_HELD];

/// Rows that cannot be read are left out here and below: one must not hide all others. A claim names them (S13).
pub(crate) fn load(conn: &Connection, ids: &[DeliveryId]) -> rusqlite::Result<Vec<Delivery>> {
    let mut statement = conn.prepare_cached(LOAD)?;
    let mut deliveries = Vec::with_capacity(ids.len());
    for id in ids {
        let mut rows = statement.query([&id.as_bytes()[..]])?;
        if let Some(row) = rows.next()? {
            deliveries.extend(rows::delivery(row));
        }
    }
    Ok(deliveries)
}

pub(crate) fn attempts(conn: &Connection, delivery: &DeliveryId) -> Answer<Vec<Attempt>> {
    let mut statement = conn.prepare_cached(ATTEMPTS)?;
    let mut rows = statement.query([&delivery.as_bytes()[..]])?;
    let mut attempts = Vec::new();
    while let Some(row) = rows.next()? {
        match rows::attempt(row) {
            Ok(attempt) => attempts.push(attempt),
            Err(problem) => return Ok(Err(corrupt(delivery.to_string(), problem))),
        }
    }
    Ok(Ok(attempts))
}

pub(crate) fn event(conn: &Connection, key: &EventKey) -> Answer<Option<EventRecord>> {
    let mut statement = conn.prepare_cached(EVENT)?;
    let mut found = statement.query(params![key.tenant.as_str(), key.id.as_str()])?;
    let Some(row) = found.next()? else { return Ok(Ok(None)) };
    match record(conn, row)? {
        Ok(record) => Ok(Ok(Some(record))),
        Err(problem) => Ok(Err(corrupt(key.id.to_string(), problem))),
    }
}

pub(crate) fn stats(conn: &Connection, tenant: Option<&TenantId>) -> rusqlite::Result<Stats> {
    let mut stats = Stats::default();
    stats.kind = "sqlite";
    stats.schema_version = crate::SCHEMA_VERSION;
    let tenant = match tenant {
        None => None,
        Some(tenant) => {
            let id: Option<i64> = conn
                .prepare_cached("SELECT id FROM tenant WHERE uid = ?1")?
                .query_row([tenant.as_str()], |row| row.get(0))
                .optional()?;
            let Some(id) = id else { return Ok(stats) };
            Some(id)
        }
    };
    let mut counts = match tenant {
        None => conn.prepare_cached("SELECT state, sum(n) FROM tally GROUP BY state")?,
        Some(_) => conn.prepare_cached("SELECT state, n FROM tally WHERE tenant = ?1")?,
    };
    let mut read = |statement: &mut Statement<'_>| -> rusqlite::Result<()> {
        let mut rows = match tenant {
            None => statement.query([])?,
            Some(tenant) => statement.query([tenant])?,
        };
        while let Some(row) = rows.next()? {
            let count = u64::try_from(row.get::<_, i64>(1)?).unwrap_or_default();
            if let (Some(state), 1..) = (state_of(row.get(0)?), count) {
                stats.by_state.insert(state, count);
            }
        }
        Ok(())
    };
    read(&mut counts)?;
    stats.oldest_due = oldest_due(conn, tenant)?.map(Timestamp::from_millis);
    Ok(stats)
}

/// In the order of their numbers, from the tally: what is stored costs nothing.
pub(crate) fn tenants_with_held(conn: &Connection, request: PageRequest) -> rusqlite::Result<Page<TenantId>> {
    let mut statement = conn.prepare_cached(TENANTS_WITH_HELD)?;
    let after = request.after.map_or(0, |cursor| i64::try_from(cursor.0).unwrap_or(i64::MAX));
    let mut rows = statement.query([after])?;
    let mut items = Vec::new();
    let mut last = None;
    while let Some(row) = rows.next()? {
        if items.len() == limit(request) {
            return Ok(Page { items, next: last });
        }
        last = Some(Cursor(row.get::<_, i64>(0)?.unsigned_abs()));
        items.extend(row.get_ref(1)?.as_str()?.parse::<TenantId>());
    }
    Ok(Page { items, next: None })
}

/// One seek for each endpoint that has something open; rows in flight before the first scheduled one are few.
fn oldest_due(conn: &Connection, tenant: Option<i64>) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached(
        "SELECT min((SELECT d.ready_at FROM delivery d
                     WHERE d.endpoint = q.id AND d.state < 2 AND d.corrupt IS NULL AND +d.state = 0
                     ORDER BY d.ready_at LIMIT 1))
         FROM queue q WHERE q.head IS NOT NULL AND (?1 IS NULL OR q.tenant = ?1)",
    )?
    .query_row([tenant], |row| row.get(0))
}

/// The event that this row of [`select_events`] is, with its deliveries.
pub(super) fn record(conn: &Connection, row: &Row<'_>) -> rusqlite::Result<Result<EventRecord, Unreadable>> {
    let mut record = match rows::record(row) {
        Ok(record) => record,
        Err(problem) => return Ok(Err(problem)),
    };
    let mut statement = conn.prepare_cached(DELIVERIES_OF_EVENT)?;
    let mut found = statement.query([row.get::<_, i64>(0)?])?;
    while let Some(row) = found.next()? {
        record.deliveries.extend(rows::delivery(row));
    }
    Ok(Ok(record))
}

fn corrupt(record: String, problem: Unreadable) -> StoreError {
    StoreError::Corrupt { record, problem: problem.into_problem() }
}
