//! The delivery log. Pages go by number, newest first: no offset, no count.

use std::sync::Arc;

use notify_core::delivery::{Attempt, Delivery};
use notify_core::event::EventKey;
use notify_core::store::{Cursor, DeliveryQuery, EventQuery, EventRecord, Page, PageRequest, Stats, StoreError};
use notify_core::{DeliveryId, TenantId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Statement, named_params, params};

use crate::rows::{self, Unreadable, select_deliveries, select_events, state_code, state_of};

type Answer<T> = rusqlite::Result<Result<T, StoreError>>;

const LOAD: &str = select_deliveries!("WHERE d.uid = ?1");
const ATTEMPTS: &str =
    "SELECT number, round, started_at, duration_nanos, outcome, status_code, error, detail, url, response,
                response_truncated, peer
         FROM attempt WHERE delivery = (SELECT id FROM delivery WHERE uid = ?1) ORDER BY number";
const EVENT: &str = select_events!("WHERE e.tenant = (SELECT id FROM tenant WHERE uid = ?1) AND e.uid = ?2");
const EVENTS_OF_ENDPOINT: &str = select_events!(
    "JOIN delivery d ON d.event = e.id
             WHERE d.endpoint = (SELECT id FROM queue WHERE uid = :endpoint)
               AND e.tenant = (SELECT id FROM tenant WHERE uid = :tenant) AND d.id < :below
               AND (:type IS NULL OR e.type = :type) AND (:since IS NULL OR e.created_at >= :since)
               AND (:until IS NULL OR e.created_at < :until)
             ORDER BY d.id DESC"
);
const EVENTS: &str = select_events!(
    "WHERE :endpoint IS NULL
               AND e.tenant = (SELECT id FROM tenant WHERE uid = :tenant) AND e.id < :below
               AND (:type IS NULL OR e.type = :type) AND (:since IS NULL OR e.created_at >= :since)
               AND (:until IS NULL OR e.created_at < :until)
             ORDER BY e.id DESC"
);
const DELIVERIES_OF_ENDPOINT: &str = select_deliveries!(
    "WHERE d.endpoint = (SELECT id FROM queue WHERE uid = :endpoint)
               AND +d.tenant = (SELECT id FROM tenant WHERE uid = :tenant) AND d.id < :below
               AND (:state IS NULL OR +d.state = :state) AND (:type IS NULL OR e.type = :type)
               AND (:since IS NULL OR e.created_at >= :since) AND (:until IS NULL OR e.created_at < :until)
             ORDER BY d.id DESC"
);
const DELIVERIES_IN_STATE: &str = select_deliveries!(
    "WHERE :endpoint IS NULL AND d.state > 2 AND d.state = :state
               AND d.tenant = (SELECT id FROM tenant WHERE uid = :tenant) AND d.id < :below
               AND (:type IS NULL OR e.type = :type)
               AND (:since IS NULL OR e.created_at >= :since) AND (:until IS NULL OR e.created_at < :until)
             ORDER BY d.id DESC"
);
const DELIVERIES: &str = select_deliveries!(
    "WHERE :endpoint IS NULL AND d.tenant = (SELECT id FROM tenant WHERE uid = :tenant) AND d.id < :below
               AND (:state IS NULL OR +d.state = :state) AND (:type IS NULL OR e.type = :type)
               AND (:since IS NULL OR e.created_at >= :since) AND (:until IS NULL OR e.created_at < :until)
             ORDER BY d.id DESC"
);
const DELIVERIES_OF_EVENT: &str = select_deliveries!("WHERE d.event = ?1 ORDER BY d.id");
const DELIVERY_NUMBER: &str =
    "SELECT d.id FROM delivery d WHERE d.event = ?1 AND +d.endpoint = (SELECT id FROM queue WHERE uid = ?2)";

const TENANTS_WITH_HELD: &str = "
    SELECT y.tenant, t.uid FROM tally y JOIN tenant t ON t.id = y.tenant
    WHERE y.tenant > ?1 AND y.state = 3 AND y.n > 0 ORDER BY y.tenant";

/// For the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    LOAD,
    ATTEMPTS,
    EVENT,
    EVENTS_OF_ENDPOINT,
    EVENTS,
    DELIVERIES_OF_ENDPOINT,
    DELIVERIES_IN_STATE,
    DELIVERIES,
    DELIVERIES_OF_EVENT,
    DELIVERY_NUMBER,
    TENANTS_WITH_HELD,
];

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

/// With an endpoint the pages follow that endpoint's deliveries, and cursors are their numbers.
pub(crate) fn events(conn: &Connection, query: &EventQuery) -> rusqlite::Result<Page<EventRecord>> {
    let mut statement = conn.prepare_cached(if query.endpoint.is_some() { EVENTS_OF_ENDPOINT } else { EVENTS })?;
    let endpoint = query.endpoint.as_ref().map(|endpoint| endpoint.as_str());
    let mut rows = statement.query(named_params! {
        ":tenant": query.tenant.as_str(),
        ":endpoint": endpoint,
        ":type": query.event_type.as_ref().map(|event_type| event_type.as_str()),
        ":since": query.since.map(Timestamp::as_millis),
        ":until": query.until.map(Timestamp::as_millis),
        ":below": below(query.page),
    })?;
    let mut items: Vec<(u64, EventRecord)> = Vec::new();
    while let Some(row) = rows.next()? {
        let Ok(record) = record(conn, row)? else { continue };
        if query.status.is_some_and(|wanted| wanted != record.status()) {
            continue;
        }
        let number = match &query.endpoint {
            None => row.get::<_, i64>(0)?,
            Some(endpoint) => delivery_number(conn, row.get(0)?, endpoint.as_str())?,
        };
        items.push((number.unsigned_abs(), record));
        if items.len() > limit(query.page) {
            break;
        }
    }
    Ok(page(items, query.page))
}

pub(crate) fn deliveries(conn: &Connection, query: &DeliveryQuery) -> rusqlite::Result<Page<Delivery>> {
    let mut statement = deliveries_statement(conn, query)?;
    let mut rows = statement.query(named_params! {
        ":tenant": query.tenant.as_str(),
        ":endpoint": query.endpoint.as_ref().map(|endpoint| endpoint.as_str()),
        ":state": query.state.map(state_code),
        ":type": query.event_type.as_ref().map(|event_type| event_type.as_str()),
        ":since": query.since.map(Timestamp::as_millis),
        ":until": query.until.map(Timestamp::as_millis),
        ":below": below(query.page),
    })?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        if let Ok(delivery) = rows::delivery(row) {
            items.push((row.get::<_, i64>(0)?.unsigned_abs(), delivery));
            if items.len() > limit(query.page) {
                break;
            }
        }
    }
    Ok(page(items, query.page))
}

/// One text for each index that can lead: the planner knows no statistics of a partly filled file.
fn deliveries_statement<'c>(
    conn: &'c Connection,
    query: &DeliveryQuery,
) -> rusqlite::Result<rusqlite::CachedStatement<'c>> {
    conn.prepare_cached(if query.endpoint.is_some() {
        DELIVERIES_OF_ENDPOINT
    } else if query.state.is_some_and(|state| state_code(state) > 2) {
        DELIVERIES_IN_STATE
    } else {
        DELIVERIES
    })
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

fn record(conn: &Connection, row: &Row<'_>) -> rusqlite::Result<Result<EventRecord, Unreadable>> {
    let (event, created_at) = match rows::event(row) {
        Ok(found) => found,
        Err(problem) => return Ok(Err(problem)),
    };
    let mut statement = conn.prepare_cached(DELIVERIES_OF_EVENT)?;
    let mut found = statement.query([row.get::<_, i64>(0)?])?;
    let mut deliveries = Vec::new();
    while let Some(row) = found.next()? {
        deliveries.extend(rows::delivery(row));
    }
    Ok(Ok(EventRecord { event: Arc::new(event), created_at, deliveries }))
}

fn delivery_number(conn: &Connection, event: i64, endpoint: &str) -> rusqlite::Result<i64> {
    conn.prepare_cached(DELIVERY_NUMBER)?.query_row(params![event, endpoint], |row| row.get(0))
}

fn below(page: PageRequest) -> i64 {
    page.after.map_or(i64::MAX, |cursor| i64::try_from(cursor.0).unwrap_or(i64::MAX))
}

fn limit(page: PageRequest) -> usize {
    page.limit.clamp(1, 100) as usize
}

/// `items` has one more than the page if there is a next one.
fn page<T>(mut items: Vec<(u64, T)>, request: PageRequest) -> Page<T> {
    let more = items.len() > limit(request);
    items.truncate(limit(request));
    let next = items.last().filter(|_| more).map(|(number, _)| Cursor(*number));
    Page { items: items.into_iter().map(|(_, item)| item).collect(), next }
}

fn corrupt(record: String, problem: Unreadable) -> StoreError {
    StoreError::Corrupt { record, problem: problem.into_problem() }
}
