//! Settling: S6, S7, S8.

use notify_core::delivery::Attempt;
use notify_core::id::{ChangeId, Version};
use notify_core::machine::Change;
use notify_core::store::ApplyOutcome;
use rusqlite::{OptionalExtension, params};

use crate::rows::{millis, signed, state_code, state_of};

use super::Tx;

pub(crate) fn apply(tx: &mut Tx<'_>, changes: &[Change]) -> rusqlite::Result<Vec<ApplyOutcome>> {
    changes.iter().map(|change| apply_one(tx, change)).collect()
}

struct Current {
    id: i64,
    tenant: i64,
    queue: i64,
    state: i64,
    version: i64,
    token: Option<[u8; 16]>,
    last_change: Option<[u8; 16]>,
    event: i64,
}

fn apply_one(tx: &mut Tx<'_>, change: &Change) -> rusqlite::Result<ApplyOutcome> {
    let current = tx
        .conn
        .prepare_cached(
            "SELECT id, tenant, endpoint, state, version, token, last_change, event FROM delivery WHERE uid = ?1",
        )?
        .query_row([&change.delivery().as_bytes()[..]], |row| {
            Ok(Current {
                id: row.get(0)?,
                tenant: row.get(1)?,
                queue: row.get(2)?,
                state: row.get(3)?,
                version: row.get(4)?,
                // An unreadable token is nobody's.
                token: row.get(5).unwrap_or_default(),
                last_change: row.get(6).unwrap_or_default(),
                event: row.get(7)?,
            })
        })
        .optional()?;
    let Some(current) = current else { return Ok(ApplyOutcome::Missing) };
    if current.last_change == Some(change.id().to_bytes()) {
        return Ok(ApplyOutcome::Applied);
    }
    let expected = signed(change.expected().get());
    if current.version != expected || current.token != change.token().map(|token| token.to_bytes()) {
        let logged = tx
            .conn
            .prepare_cached("SELECT 1 FROM attempt WHERE delivery = ?1 AND change = ?2")?
            .exists(params![current.id, change.id().to_bytes()])?;
        let version = Version::new(current.version.unsigned_abs());
        return Ok(if logged { ApplyOutcome::Applied } else { ApplyOutcome::Stale { current: version } });
    }
    write_row(tx, &current, change)?;
    for attempt in change.attempts() {
        write_attempt(tx, current.id, change.id(), attempt)?;
    }
    count_attempts(tx, &current, change)?;
    let next = change.next();
    if let Some(state) = state_of(current.state)
        && state != next.state
    {
        tx.count(current.tenant, state, -1);
        tx.count(current.tenant, next.state, 1);
    }
    if let Some(ready_at) = next.ready_at
        && next.state.is_claimable()
    {
        tx.lower_head(current.queue, ready_at.as_millis());
    }
    tx.note();
    Ok(ApplyOutcome::Applied)
}

fn count_attempts(tx: &mut Tx<'_>, current: &Current, change: &Change) -> rusqlite::Result<()> {
    if change.attempts().is_empty() {
        return Ok(());
    }
    let mut statement = tx.conn.prepare_cached("SELECT type FROM event WHERE id = ?1")?;
    let mut rows = statement.query([current.event])?;
    if let Some(event_type) = rows.next()?.and_then(|row| row.get_ref(0).ok()?.as_str().ok()) {
        tx.pending.counts.note(current.tenant, current.queue, event_type, change);
    }
    Ok(())
}

fn write_row(tx: &Tx<'_>, current: &Current, change: &Change) -> rusqlite::Result<()> {
    let next = change.next();
    tx.conn
        .prepare_cached(
            "UPDATE delivery SET state = ?2, ready_at = ?3, token = ?4, version = ?5, round = ?6, attempts = ?7,
                    failures = ?8, lost_leases = ?9, lost_logged = ?10, reason = ?11, settled_at = ?12,
                    last_change = ?13
             WHERE id = ?1",
        )?
        .execute(params![
            current.id,
            state_code(next.state),
            millis(next.ready_at),
            next.token.map(|token| token.to_bytes()),
            signed(next.version.get()),
            next.round.get(),
            next.attempts,
            next.failures,
            next.lost_leases,
            next.lost_logged,
            next.reason.map(|reason| reason.as_str()),
            millis(next.settled_at),
            next.last_change.map(|id| id.to_bytes()),
        ])?;
    Ok(())
}

fn write_attempt(tx: &Tx<'_>, delivery: i64, change: ChangeId, attempt: &Attempt) -> rusqlite::Result<()> {
    let response = attempt.response.as_ref();
    tx.conn
        .prepare_cached(
            "INSERT INTO attempt(delivery, number, change, round, started_at, duration_nanos, outcome, status_code,
                    error, detail, url, response, response_truncated, peer, timing)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        )?
        .execute(params![
            delivery,
            attempt.number.get(),
            change.to_bytes(),
            attempt.round.get(),
            attempt.started_at.as_millis(),
            i64::try_from(attempt.duration.as_nanos()).unwrap_or(i64::MAX),
            attempt.outcome.as_str(),
            attempt.status_code,
            attempt.error.as_deref(),
            attempt.detail.as_deref(),
            attempt.url.as_deref(),
            response.map(|head| &head.bytes[..]),
            response.map(|head| head.truncated),
            attempt.peer.map(|peer| peer.to_string()),
            attempt.timing.map(|timing| timing.to_text()),
        ])?;
    Ok(())
}
