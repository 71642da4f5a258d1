//! Reading what was counted.

use notify_core::store::activity::{Activity, ActivityQuery, Effect, Latencies};
use notify_core::{EndpointId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, named_params};

use crate::write::width;

const ACTIVITY: &str = "SELECT a.start, q.uid, a.type, a.effect, a.reason,
            l0, l1, l2, l3, l4, l5, l6, l7, l8, l9, l10, l11, l12, l13, l14, l15
     FROM activity a JOIN queue q ON q.id = a.endpoint
     WHERE a.width = :width AND a.tenant = (SELECT id FROM tenant WHERE uid = :tenant)
       AND a.start >= :since AND a.start < :until AND (:endpoint IS NULL OR q.uid = :endpoint)
     ORDER BY a.start";
const FAILING: &str = "SELECT since FROM failing WHERE endpoint = (SELECT id FROM queue WHERE uid = ?1)";

/// For the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[ACTIVITY, FAILING];

pub(crate) fn activity(conn: &Connection, query: &ActivityQuery) -> rusqlite::Result<Vec<Activity>> {
    let mut statement = conn.prepare_cached(ACTIVITY)?;
    let mut rows = statement.query(named_params! {
        ":width": width(query.resolution),
        ":tenant": query.tenant.as_str(),
        ":since": query.since.as_millis(),
        ":until": query.until.as_millis(),
        ":endpoint": query.endpoint.as_ref().map(|endpoint| endpoint.as_str()),
    })?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        // A row that cannot be read must not hide the others.
        found.extend(one(row)?);
    }
    Ok(found)
}

fn one(row: &Row<'_>) -> rusqlite::Result<Option<Activity>> {
    let text = |index| row.get_ref(index)?.as_str().map_err(rusqlite::Error::from);
    let (Ok(endpoint), Ok(event_type), Some(effect)) =
        (text(1)?.parse(), text(2)?.parse(), Effect::parse(text(3)?, text(4)?))
    else {
        return Ok(None);
    };
    let mut latencies = Latencies::default();
    for (index, count) in latencies.0.iter_mut().enumerate() {
        *count = u64::try_from(row.get::<_, i64>(5 + index)?).unwrap_or_default();
    }
    Ok(Some(Activity { start: Timestamp::from_millis(row.get(0)?), endpoint, event_type, effect, latencies }))
}

pub(crate) fn failing_since(conn: &Connection, endpoints: &[EndpointId]) -> rusqlite::Result<Vec<Option<Timestamp>>> {
    let mut statement = conn.prepare_cached(FAILING)?;
    let since = |id: &EndpointId| statement.query_row([id.as_str()], |row| row.get(0)).optional();
    endpoints.iter().map(since).map(|found| Ok(found?.map(Timestamp::from_millis))).collect()
}
