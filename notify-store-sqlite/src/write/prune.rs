//! Removing old events.

use notify_core::Timestamp;
use notify_core::store::Pruned;

use crate::rows::state_of;

use super::Tx;

const OLD_EVENTS: &str = "SELECT e.id FROM event e
         WHERE e.created_at < ?1 AND NOT EXISTS (
             SELECT 1 FROM delivery d WHERE d.event = e.id AND (d.settled_at IS NULL OR d.settled_at >= ?1))
         ORDER BY e.created_at LIMIT ?2";
const REMOVE_ATTEMPTS: &str = "DELETE FROM attempt WHERE delivery IN (SELECT id FROM delivery WHERE event = ?1)";
const REMOVE_DELIVERIES: &str = "DELETE FROM delivery WHERE event = ?1 RETURNING tenant, state";

/// For the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[OLD_EVENTS, REMOVE_ATTEMPTS, REMOVE_DELIVERIES];

pub(crate) fn prune(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> rusqlite::Result<Pruned> {
    let mut statement = tx.conn.prepare_cached(OLD_EVENTS)?;
    let events = statement
        .query_map([before.as_millis(), i64::from(limit)], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    drop(statement);
    for event in &events {
        remove(tx, *event)?;
    }
    Ok(Pruned { events: u32::try_from(events.len()).unwrap_or(u32::MAX) })
}

fn remove(tx: &mut Tx<'_>, event: i64) -> rusqlite::Result<()> {
    tx.conn.prepare_cached(REMOVE_ATTEMPTS)?.execute([event])?;
    let mut statement = tx.conn.prepare_cached(REMOVE_DELIVERIES)?;
    let gone = statement
        .query_map([event], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Vec<(i64, i64)>>>()?;
    drop(statement);
    for (tenant, state) in gone {
        if let Some(state) = state_of(state) {
            tx.count(tenant, state, -1);
        }
    }
    tx.conn.prepare_cached("DELETE FROM event WHERE id = ?1")?.execute([event])?;
    Ok(())
}
