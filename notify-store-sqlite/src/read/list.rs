//! The lists of the log. Pages go by number, newest first: no offset, no count. One index leads to the rows, the newest
//! first; where other filters leave rows out, a call looks at a bounded number of them.

use notify_core::Timestamp;
use notify_core::delivery::{Delivery, Outcome, ResponseClass};
use notify_core::event::Purpose;
use notify_core::store::{Cursor, DeliveryQuery, EventQuery, EventRecord, Page, PageRequest};
use rusqlite::{Connection, Rows, Statement, ToSql, params};

use crate::rows::{self, select_deliveries, select_events, state_code, test_code};

use super::log::record;

/// How many rows of the leading index one call looks at, where a filter may leave rows out.
const MOST: i64 = 10_000;
/// The same for a status, which is looked up in each event's deliveries.
const MOST_WITH_STATUS: i64 = 1_000;

/// What leads to the rows: one text for each index, since the planner knows no statistics of a partly filled file.
struct Lead {
    /// The rows.
    rows: &'static str,
    /// The number of the last row that is looked at, if there are so many.
    floor: &'static str,
}

macro_rules! deliveries_by {
    ($lead:literal) => {
        Lead {
            rows: select_deliveries!(
                "WHERE ", $lead, " AND d.id < :below AND d.id >= :floor
                   AND (:state IS NULL OR +d.state = :state)
                   AND (:outcomes IS NULL OR
                        instr(:outcomes, '|' || ifnull(+d.reason, iif(d.attempts > 0, 'success', 'none')) || '|') > 0)
                   AND (:test IS NULL OR +d.test = :test) AND (:type IS NULL OR e.type = :type)
                   AND (:since IS NULL OR e.created_at >= :since) AND (:until IS NULL OR e.created_at < :until)
                 ORDER BY d.id DESC"
            ),
            floor: concat!(
                "SELECT d.id FROM delivery d WHERE ", $lead, " AND d.id < :below
                 ORDER BY d.id DESC LIMIT 1 OFFSET :most"
            ),
        }
    };
}

macro_rules! events_by {
    ($lead:literal) => {
        Lead {
            rows: select_events!(
                "WHERE ",
                $lead,
                " AND e.id < :below AND e.id >= :floor
                   AND (:test IS NULL OR +e.test = :test) AND (:type IS NULL OR e.type = :type)
                   AND (:since IS NULL OR +e.created_at >= :since) AND (:until IS NULL OR +e.created_at < :until)
                   AND (:endpoint IS NULL OR EXISTS (
                       SELECT 1 FROM delivery d
                       WHERE d.event = e.id AND +d.endpoint = (SELECT id FROM queue WHERE uid = :endpoint)))
                 ORDER BY e.id DESC"
            ),
            floor: concat!(
                "SELECT e.id FROM event e WHERE ",
                $lead,
                " AND e.id < :below
                 ORDER BY e.id DESC LIMIT 1 OFFSET :most"
            ),
        }
    };
}

const DELIVERIES: Lead = deliveries_by!("d.tenant = (SELECT id FROM tenant WHERE uid = :tenant)");
const DELIVERIES_OF_ENDPOINT: Lead = deliveries_by!(
    "d.endpoint = (SELECT id FROM queue WHERE uid = :endpoint)
     AND +d.tenant = (SELECT id FROM tenant WHERE uid = :tenant)"
);
const DELIVERIES_WITH_REASON: Lead = deliveries_by!(
    "d.tenant = (SELECT id FROM tenant WHERE uid = :tenant) AND d.reason = :reason AND d.reason IS NOT NULL"
);
/// Those whose last attempt failed.
const TROUBLED_DELIVERIES: Lead =
    deliveries_by!("d.tenant = (SELECT id FROM tenant WHERE uid = :tenant) AND d.reason IS NOT NULL");
const DELIVERIES_IN_STATE: Lead =
    deliveries_by!("d.state > 2 AND d.state = :state AND d.tenant = (SELECT id FROM tenant WHERE uid = :tenant)");
const DELIVERIES_OF_TESTS: Lead =
    deliveries_by!("d.test = 1 AND d.tenant = (SELECT id FROM tenant WHERE uid = :tenant)");

const EVENTS: Lead = events_by!("e.tenant = (SELECT id FROM tenant WHERE uid = :tenant)");
const EVENT_WITH_KEY: Lead = events_by!(
    "e.tenant = (SELECT id FROM tenant WHERE uid = :tenant) AND e.idempotency_key = :key
     AND e.idempotency_key IS NOT NULL"
);
const TESTS: Lead = events_by!("e.test = 1 AND e.tenant = (SELECT id FROM tenant WHERE uid = :tenant)");
/// The pages follow the endpoint's deliveries, and cursors are their numbers.
const EVENTS_OF_ENDPOINT: Lead = Lead {
    rows: select_events!(
        "JOIN delivery d ON d.event = e.id
         WHERE d.endpoint = (SELECT id FROM queue WHERE uid = :endpoint) AND d.id < :below AND d.id >= :floor
           AND e.tenant = (SELECT id FROM tenant WHERE uid = :tenant)
           AND (:test IS NULL OR +d.test = :test) AND (:type IS NULL OR e.type = :type)
           AND (:since IS NULL OR e.created_at >= :since) AND (:until IS NULL OR e.created_at < :until)
         ORDER BY d.id DESC"
    ),
    floor: "SELECT d.id FROM delivery d
            WHERE d.endpoint = (SELECT id FROM queue WHERE uid = :endpoint) AND d.id < :below
            ORDER BY d.id DESC LIMIT 1 OFFSET :most",
};
const DELIVERY_NUMBER: &str =
    "SELECT d.id FROM delivery d WHERE d.event = ?1 AND +d.endpoint = (SELECT id FROM queue WHERE uid = ?2)";

/// No row that was published since then has a lower number than this, deliveries included: they come after their event.
const OLDEST_SINCE: &str = "SELECT min(id) FROM event WHERE created_at >= ?1";

/// For the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    DELIVERIES.rows,
    DELIVERIES.floor,
    DELIVERIES_OF_ENDPOINT.rows,
    DELIVERIES_OF_ENDPOINT.floor,
    DELIVERIES_WITH_REASON.rows,
    DELIVERIES_WITH_REASON.floor,
    TROUBLED_DELIVERIES.rows,
    TROUBLED_DELIVERIES.floor,
    DELIVERIES_IN_STATE.rows,
    DELIVERIES_IN_STATE.floor,
    DELIVERIES_OF_TESTS.rows,
    DELIVERIES_OF_TESTS.floor,
    EVENTS.rows,
    EVENTS.floor,
    EVENT_WITH_KEY.rows,
    EVENT_WITH_KEY.floor,
    TESTS.rows,
    TESTS.floor,
    EVENTS_OF_ENDPOINT.rows,
    EVENTS_OF_ENDPOINT.floor,
    DELIVERY_NUMBER,
    OLDEST_SINCE,
];

pub(crate) fn events(conn: &Connection, query: &EventQuery) -> rusqlite::Result<Page<EventRecord>> {
    let lead = if query.key.is_some() {
        EVENT_WITH_KEY
    } else if query.endpoint.is_some() {
        EVENTS_OF_ENDPOINT
    } else if query.purpose == Some(Purpose::Test) {
        TESTS
    } else {
        EVENTS
    };
    let of_endpoint = query.endpoint.as_ref().filter(|_| query.key.is_none());
    let most = if query.status.is_some() { MOST_WITH_STATUS } else { MOST };
    let leaves_out = query.status.is_some()
        || query.event_type.is_some()
        || query.purpose.is_some()
        || query.since.is_some()
        || query.until.is_some();
    let (endpoint, key) = (query.endpoint.as_ref().map(|endpoint| endpoint.as_str()), query.key.as_ref());
    let values: [(&str, &dyn ToSql); 8] = [
        (":tenant", &query.tenant.as_str()),
        (":endpoint", &endpoint),
        (":key", &key.map(|key| key.as_str())),
        (":test", &query.purpose.map(test_code)),
        (":type", &query.event_type.as_ref().map(|event_type| event_type.as_str())),
        (":since", &query.since.map(Timestamp::as_millis)),
        (":until", &query.until.map(Timestamp::as_millis)),
        (":below", &below(query.page)),
    ];
    let floor = if leaves_out { floor(conn, &lead, &values, most)? } else { None };
    let mut statement = conn.prepare_cached(lead.rows)?;
    let mut rows = bound(&mut statement, &values, &[(":floor", &floor.unwrap_or(0))])?;
    let mut items: Vec<(u64, EventRecord)> = Vec::new();
    while let Some(row) = rows.next()? {
        let Ok(record) = record(conn, row)? else { continue };
        if query.status.is_some_and(|wanted| wanted != record.status()) {
            continue;
        }
        let number = match of_endpoint {
            None => row.get::<_, i64>(0)?,
            Some(endpoint) => conn
                .prepare_cached(DELIVERY_NUMBER)?
                .query_row(params![row.get::<_, i64>(0)?, endpoint.as_str()], |row| row.get(0))?,
        };
        items.push((number.unsigned_abs(), record));
        if items.len() > limit(query.page) {
            break;
        }
    }
    page(conn, items, query.page, floor, query.since)
}

pub(crate) fn deliveries(conn: &Connection, query: &DeliveryQuery) -> rusqlite::Result<Page<Delivery>> {
    let outcomes = query.outcomes();
    let reason = match outcomes.as_deref() {
        Some([Outcome::Failure(reason)]) => Some(*reason),
        _ => None,
    };
    let lead = if query.endpoint.is_some() {
        DELIVERIES_OF_ENDPOINT
    } else if reason.is_some() {
        DELIVERIES_WITH_REASON
    } else if query.class == Some(ResponseClass::NoAnswer) {
        TROUBLED_DELIVERIES
    } else if query.state.is_some_and(|state| state_code(state) > 2) {
        DELIVERIES_IN_STATE
    } else if query.purpose == Some(Purpose::Test) {
        DELIVERIES_OF_TESTS
    } else {
        DELIVERIES
    };
    let leaves_out = query.state.is_some()
        || outcomes.is_some()
        || query.event_type.is_some()
        || query.purpose.is_some()
        || query.since.is_some()
        || query.until.is_some();
    let words = outcomes.map(|outcomes| {
        let words: Vec<&str> = outcomes.iter().map(|outcome| outcome.as_str()).collect();
        format!("|{}|", words.join("|"))
    });
    let values: [(&str, &dyn ToSql); 10] = [
        (":tenant", &query.tenant.as_str()),
        (":endpoint", &query.endpoint.as_ref().map(|endpoint| endpoint.as_str())),
        (":state", &query.state.map(state_code)),
        (":reason", &reason.map(|reason| reason.as_str())),
        (":outcomes", &words),
        (":test", &query.purpose.map(test_code)),
        (":type", &query.event_type.as_ref().map(|event_type| event_type.as_str())),
        (":since", &query.since.map(Timestamp::as_millis)),
        (":until", &query.until.map(Timestamp::as_millis)),
        (":below", &below(query.page)),
    ];
    let floor = if leaves_out { floor(conn, &lead, &values, MOST)? } else { None };
    let mut statement = conn.prepare_cached(lead.rows)?;
    let mut rows = bound(&mut statement, &values, &[(":floor", &floor.unwrap_or(0))])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        if let Ok(delivery) = rows::delivery(row) {
            items.push((row.get::<_, i64>(0)?.unsigned_abs(), delivery));
            if items.len() > limit(query.page) {
                break;
            }
        }
    }
    page(conn, items, query.page, floor, query.since)
}

/// The number of the last of `most` rows; `None` if there are fewer.
fn floor(conn: &Connection, lead: &Lead, values: &[(&str, &dyn ToSql)], most: i64) -> rusqlite::Result<Option<i64>> {
    let mut statement = conn.prepare_cached(lead.floor)?;
    let mut rows = bound(&mut statement, values, &[(":most", &(most - 1))])?;
    rows.next()?.map(|row| row.get(0)).transpose()
}

/// Runs the statement with those of the values that it names.
fn bound<'s>(
    statement: &'s mut Statement<'_>,
    values: &[(&str, &dyn ToSql)],
    more: &[(&str, &dyn ToSql)],
) -> rusqlite::Result<Rows<'s>> {
    for (name, value) in values.iter().chain(more) {
        if let Some(index) = statement.parameter_index(name)? {
            statement.raw_bind_parameter(index, value)?;
        }
    }
    Ok(statement.raw_query())
}

fn below(page: PageRequest) -> i64 {
    page.after.map_or(i64::MAX, |cursor| i64::try_from(cursor.0).unwrap_or(i64::MAX))
}

pub(super) fn limit(page: PageRequest) -> usize {
    page.limit.clamp(1, 100) as usize
}

/// `items` has one more than the page if there is a next one; if not, there may be more below the floor.
fn page<T>(
    conn: &Connection,
    mut items: Vec<(u64, T)>,
    request: PageRequest,
    floor: Option<i64>,
    since: Option<Timestamp>,
) -> rusqlite::Result<Page<T>> {
    let more = items.len() > limit(request);
    items.truncate(limit(request));
    let next = match (items.last().filter(|_| more), floor) {
        (Some((number, _)), _) => Some(Cursor(*number)),
        (None, Some(floor)) if is_beyond(conn, floor, since)? => None,
        (None, floor) => floor.map(|floor| Cursor(floor.unsigned_abs())),
    };
    Ok(Page { items: items.into_iter().map(|(_, item)| item).collect(), next })
}

/// Whether all rows below this number are older than the list goes back.
fn is_beyond(conn: &Connection, number: i64, since: Option<Timestamp>) -> rusqlite::Result<bool> {
    let Some(since) = since else { return Ok(false) };
    let oldest: Option<i64> = conn.prepare_cached(OLDEST_SINCE)?.query_row([since.as_millis()], |row| row.get(0))?;
    Ok(oldest.is_none_or(|oldest| number <= oldest))
}
