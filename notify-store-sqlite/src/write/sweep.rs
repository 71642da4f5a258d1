//! Moving an endpoint's open rows: S14.

use notify_core::delivery::State;
use notify_core::store::{SweepAction, SweepRequest, Swept};
use rusqlite::params;

use super::Tx;

pub(crate) fn sweep(tx: &mut Tx<'_>, request: &SweepRequest) -> rusqlite::Result<Swept> {
    let Some(queue) = tx.known_queue(&request.endpoint)? else { return Ok(Swept { moved: 0 }) };
    let mut left = request.limit;
    match request.action {
        SweepAction::Hold => step(tx, queue, HOLD, (State::Scheduled, State::Held), request, &mut left)?,
        SweepAction::Release => step(tx, queue, RELEASE, (State::Held, State::Scheduled), request, &mut left)?,
        SweepAction::Cancel => {
            step(tx, queue, CANCEL_SCHEDULED, (State::Scheduled, State::Cancelled), request, &mut left)?;
            step(tx, queue, CANCEL_HELD, (State::Held, State::Cancelled), request, &mut left)?;
        }
    }
    tx.note();
    Ok(Swept { moved: request.limit - left })
}

// Each takes the endpoint, the limit and the time; the conditions repeat those of the partial indexes.
const HOLD: &str = "
    UPDATE delivery SET state = 3, version = version + 1
    WHERE ?3 IS NOT NULL AND id IN (SELECT id FROM delivery
        WHERE endpoint = ?1 AND state < 2 AND corrupt IS NULL AND state = 0 ORDER BY ready_at LIMIT ?2)
    RETURNING tenant, ready_at";
const RELEASE: &str = "
    UPDATE delivery SET state = 0, version = version + 1
    WHERE ?3 IS NOT NULL AND id IN (SELECT id FROM delivery
        WHERE endpoint = ?1 AND state = 3 AND corrupt IS NULL ORDER BY ready_at LIMIT ?2)
    RETURNING tenant, ready_at";
const CANCEL_SCHEDULED: &str = "
    UPDATE delivery SET state = 5, ready_at = NULL, settled_at = ?3, version = version + 1
    WHERE id IN (SELECT id FROM delivery
        WHERE endpoint = ?1 AND state < 2 AND corrupt IS NULL AND state = 0 ORDER BY ready_at LIMIT ?2)
    RETURNING tenant, ready_at";
const CANCEL_HELD: &str = "
    UPDATE delivery SET state = 5, ready_at = NULL, settled_at = ?3, version = version + 1
    WHERE id IN (SELECT id FROM delivery
        WHERE endpoint = ?1 AND state = 3 AND corrupt IS NULL ORDER BY ready_at LIMIT ?2)
    RETURNING tenant, ready_at";

/// For the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[HOLD, RELEASE, CANCEL_SCHEDULED, CANCEL_HELD];

fn step(
    tx: &mut Tx<'_>,
    queue: i64,
    sql: &str,
    (from, to): (State, State),
    request: &SweepRequest,
    left: &mut u32,
) -> rusqlite::Result<()> {
    let mut statement = tx.conn.prepare_cached(sql)?;
    let moved = statement
        .query_map(params![queue, *left, request.now.as_millis()], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Vec<(i64, Option<i64>)>>>()?;
    drop(statement);
    for (tenant, ready_at) in moved {
        *left = left.saturating_sub(1);
        tx.count(tenant, from, -1);
        tx.count(tenant, to, 1);
        if let Some(ready_at) = ready_at
            && to.is_claimable()
        {
            tx.lower_head(queue, ready_at);
        }
    }
    Ok(())
}
