//! Leasing: S2 to S5, S13. In turns over the endpoints that have something due, so that the cost grows with what is
//! claimed and not with what waits, and no backlog starves another endpoint.

use std::collections::{HashMap, HashSet};

use notify_core::store::{ClaimBatch, ClaimRequest, Claimed, CorruptRecord};
use notify_core::{EndpointId, Timestamp};
use rusqlite::{OptionalExtension, params};

use crate::rows::{TENANT_COLUMN, corrupt_delivery, delivery_and_event, select_deliveries, signed, state_code};

use super::Tx;

/// How many endpoints are looked at in one step.
const STEP: usize = 64;

/// How many stale heads one call repairs. Beyond, it answers with a lower bound, and the next call goes on.
const MAX_REPAIRS: usize = 1024;

const PROMOTABLE: &str =
    "SELECT id FROM queue WHERE turn IS NULL AND head IS NOT NULL AND head <= ?1 ORDER BY head, id LIMIT ?2";
const RUN_QUEUE: &str =
    "SELECT id, uid, turn FROM queue WHERE turn IS NOT NULL AND turn > ?1 AND turn <= ?2 ORDER BY turn LIMIT ?3";
const WAITING: &str = "SELECT head, id, uid FROM queue
         WHERE turn IS NULL AND head IS NOT NULL AND (head, id) > (?1, ?2) ORDER BY head, id LIMIT ?3";
const FIRST_READY: &str = "SELECT ready_at FROM delivery
             WHERE endpoint = ?1 AND state < 2 AND corrupt IS NULL ORDER BY ready_at LIMIT 1";
const DUE_ROWS: &str = select_deliveries!(
    "WHERE d.endpoint = ?1 AND d.state < 2 AND d.corrupt IS NULL AND d.ready_at <= ?2
         ORDER BY d.ready_at, d.id LIMIT ?3"
);
const LEASED: &str = select_deliveries!("WHERE d.id = ?1 AND d.state = 1 AND d.token = ?2");
const LAST_TURN: &str = "SELECT turn FROM queue WHERE turn IS NOT NULL ORDER BY turn DESC LIMIT 1";
const ENDED_CLAIMS: &str = "DELETE FROM claim WHERE until <= ?1";

/// For the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] =
    &[PROMOTABLE, RUN_QUEUE, WAITING, FIRST_READY, DUE_ROWS, LEASED, LAST_TURN, ENDED_CLAIMS];

pub(crate) fn claim(tx: &mut Tx<'_>, request: &ClaimRequest) -> rusqlite::Result<ClaimBatch> {
    tx.write_heads()?;
    tx.conn.prepare_cached(ENDED_CLAIMS)?.execute([request.now.as_millis()])?;
    let mut round = Round { request, taken: HashMap::new(), batch: ClaimBatch::default() };
    match past_claim(tx, request)? {
        Some(rows) => round.return_again(tx, &rows)?,
        None => round.lease(tx)?,
    }
    tx.write_heads()?;
    round.batch.next_ready_at = round.next_ready_at(tx)?;
    Ok(round.batch)
}

/// One claim under way.
struct Round<'r> {
    request: &'r ClaimRequest,
    /// How many rows each queue has given.
    taken: HashMap<i64, u32>,
    batch: ClaimBatch,
}

/// An endpoint in the run queue.
struct Runnable {
    queue: i64,
    endpoint: EndpointId,
    turn: i64,
}

impl Round<'_> {
    fn return_again(&mut self, tx: &Tx<'_>, rows: &[i64]) -> rusqlite::Result<()> {
        for id in rows {
            let mut statement = tx.conn.prepare_cached(LEASED)?;
            let mut found = statement.query(params![id, self.request.token.to_bytes()])?;
            if let Some(row) = found.next()?
                && let Ok((delivery, event)) = delivery_and_event(row)
            {
                self.batch.claimed.push(Claimed { delivery, event });
            }
        }
        Ok(())
    }

    fn lease(&mut self, tx: &mut Tx<'_>) -> rusqlite::Result<()> {
        let mut leased: Vec<(Timestamp, i64, Claimed)> = Vec::new();
        let limit = self.request.limit as usize;
        let mut last_turn = i64::MIN;
        promote(tx, self.request.now)?;
        // Endpoints that are served again go to the back, behind this turn: each is visited once.
        let mut end = last_turn_given(tx)?;
        while leased.len() < limit {
            let mut runnable = Vec::new();
            while runnable.len() < limit - leased.len() {
                let step = run_queue(tx, last_turn, end)?;
                let Some(last) = step.last() else { break };
                last_turn = last.turn;
                runnable.extend(step.into_iter().filter(|found| self.request.free.of(&found.endpoint) > 0));
            }
            if runnable.is_empty() {
                // Those that were promoted may all have been stale or full: look for more before giving up.
                if promote(tx, self.request.now)? == 0 {
                    break;
                }
                end = last_turn_given(tx)?;
                continue;
            }
            self.serve(tx, runnable, limit, &mut leased)?;
        }
        if !leased.is_empty() {
            let rows: Vec<u8> = leased.iter().flat_map(|(_, id, _)| id.to_be_bytes()).collect();
            tx.conn
                .prepare_cached("INSERT INTO claim(token, until, deliveries) VALUES (?1, ?2, ?3)")?
                .execute(params![self.request.token.to_bytes(), self.request.lease_until.as_millis(), rows])?;
        }
        leased.sort_by_key(|(ready_at, id, _)| (*ready_at, *id));
        self.batch.claimed = leased.into_iter().map(|(_, _, claimed)| claimed).collect();
        Ok(())
    }

    /// Gives each endpoint its share, and again to those that have more, until the limit or nothing is left.
    fn serve(
        &mut self,
        tx: &mut Tx<'_>,
        mut runnable: Vec<Runnable>,
        limit: usize,
        leased: &mut Vec<(Timestamp, i64, Claimed)>,
    ) -> rusqlite::Result<()> {
        while !runnable.is_empty() && leased.len() < limit {
            let share = (limit - leased.len()).div_ceil(runnable.len());
            let mut again = Vec::new();
            for found in runnable {
                if leased.len() == limit {
                    break;
                }
                let taken = self.taken.get(&found.queue).copied().unwrap_or_default();
                let free = self.request.free.of(&found.endpoint).saturating_sub(taken) as usize;
                let wanted = share.min(free).min(limit - leased.len());
                let got = self.lease_from(tx, found.queue, wanted, leased)?;
                *self.taken.entry(found.queue).or_default() += got as u32;
                if got < wanted {
                    leave_run_queue(tx, found.queue)?;
                    continue;
                }
                let turn = tx.next_number()?;
                tx.conn.prepare_cached("UPDATE queue SET turn = ?2 WHERE id = ?1")?.execute([found.queue, turn])?;
                if got < free {
                    again.push(found);
                }
            }
            runnable = again;
        }
        Ok(())
    }

    /// Leases up to `wanted` due rows of one endpoint; fewer = it has no more.
    fn lease_from(
        &mut self,
        tx: &mut Tx<'_>,
        queue: i64,
        wanted: usize,
        leased: &mut Vec<(Timestamp, i64, Claimed)>,
    ) -> rusqlite::Result<usize> {
        let mut got = 0;
        while got < wanted {
            let (due, corrupt) = due_rows(tx, queue, self.request.now, wanted - got)?;
            if due.is_empty() && corrupt.is_empty() {
                break;
            }
            for (id, record) in corrupt {
                // Out of the index, so that it neither blocks this endpoint nor comes back for ever.
                tx.conn
                    .prepare_cached("UPDATE delivery SET corrupt = ?2 WHERE id = ?1")?
                    .execute(params![id, record.problem])?;
                self.batch.corrupt.push(record);
            }
            for (id, tenant, found) in due {
                let ready_at = found.delivery.ready_at().unwrap_or(self.request.now);
                let state = found.delivery.state();
                let delivery = found.delivery.claimed(self.request.token, self.request.lease_until);
                write_lease(tx, id, &delivery)?;
                tx.count(tenant, state, -1);
                tx.count(tenant, delivery.state(), 1);
                leased.push((ready_at, id, Claimed { delivery, event: found.event }));
                got += 1;
            }
        }
        if got > 0 {
            tx.lower_head(queue, self.request.lease_until.as_millis());
        }
        Ok(got)
    }

    /// S5, repairing heads that are too early.
    fn next_ready_at(&self, tx: &mut Tx<'_>) -> rusqlite::Result<Option<Timestamp>> {
        let now = self.request.now.as_millis();
        let (mut last_turn, end) = (i64::MIN, i64::MAX);
        loop {
            let step = run_queue(tx, last_turn, end)?;
            let Some(last) = step.last() else { break };
            last_turn = last.turn;
            for found in step {
                if self.is_full(found.queue, &found.endpoint) {
                    continue;
                }
                if first_ready(tx, found.queue)?.is_some_and(|ready_at| ready_at <= now) {
                    return Ok(Some(self.request.now));
                }
                leave_run_queue(tx, found.queue)?;
            }
        }
        let mut best: Option<i64> = None;
        let (mut from, mut repairs) = ((i64::MIN, i64::MIN), 0);
        let mut seen = HashSet::new();
        loop {
            let step = waiting_queues(tx, from)?;
            let Some((head, queue, _)) = step.last() else { break };
            from = (*head, *queue);
            for (head, queue, endpoint) in step {
                if best.is_some_and(|best| best <= head) || repairs == MAX_REPAIRS {
                    let bound = best.map_or(head, |best| best.min(head));
                    return Ok(Some(Timestamp::from_millis(bound.max(now))));
                }
                if self.is_full(queue, &endpoint) || !seen.insert(queue) {
                    continue;
                }
                let first = first_ready(tx, queue)?;
                if first != Some(head) {
                    set_head(tx, queue, first)?;
                    repairs += 1;
                }
                best = best.into_iter().chain(first).min();
            }
        }
        Ok(best.map(|best| Timestamp::from_millis(best.max(now))))
    }

    fn is_full(&self, queue: i64, endpoint: &EndpointId) -> bool {
        // The same token again: those rows were taken before.
        let taken = match self.taken.get(&queue) {
            Some(taken) => *taken,
            None => self.batch.claimed.iter().filter(|row| row.delivery.endpoint() == endpoint).count() as u32,
        };
        self.request.free.of(endpoint) <= taken
    }
}

/// What an earlier claim with this token leased.
fn past_claim(tx: &Tx<'_>, request: &ClaimRequest) -> rusqlite::Result<Option<Vec<i64>>> {
    let packed: Option<Vec<u8>> = tx
        .conn
        .prepare_cached("SELECT deliveries FROM claim WHERE token = ?1")?
        .query_row([request.token.to_bytes()], |row| row.get(0))
        .optional()?;
    Ok(packed.map(|packed| {
        let numbers = packed.chunks_exact(8).filter_map(|bytes| bytes.try_into().ok());
        numbers.map(i64::from_be_bytes).collect()
    }))
}

/// Moves endpoints whose head has come into the run queue, at its back; says how many.
fn promote(tx: &mut Tx<'_>, now: Timestamp) -> rusqlite::Result<usize> {
    let mut statement = tx.conn.prepare_cached(PROMOTABLE)?;
    let due = statement.query_map([now.as_millis(), STEP as i64], |row| row.get(0))?;
    let due = due.collect::<rusqlite::Result<Vec<i64>>>()?;
    drop(statement);
    for queue in &due {
        let turn = tx.next_number()?;
        tx.conn.prepare_cached("UPDATE queue SET turn = ?2 WHERE id = ?1")?.execute([*queue, turn])?;
    }
    Ok(due.len())
}

/// Some endpoints of the run queue after `last` up to `end`, the longest waiting first.
fn run_queue(tx: &Tx<'_>, last: i64, end: i64) -> rusqlite::Result<Vec<Runnable>> {
    let mut statement = tx.conn.prepare_cached(RUN_QUEUE)?;
    let found = statement.query_map([last, end, STEP as i64], |row| {
        Ok(Runnable { queue: row.get(0)?, endpoint: endpoint_id(&row.get::<_, String>(1)?), turn: row.get(2)? })
    })?;
    found.collect()
}

fn last_turn_given(tx: &Tx<'_>) -> rusqlite::Result<i64> {
    tx.conn.prepare_cached(LAST_TURN)?.query_row([], |row| row.get(0)).optional().map(|turn| turn.unwrap_or(i64::MIN))
}

/// Some endpoints outside the run queue, after `from`, the earliest head first.
fn waiting_queues(tx: &Tx<'_>, from: (i64, i64)) -> rusqlite::Result<Vec<(i64, i64, EndpointId)>> {
    let mut statement = tx.conn.prepare_cached(WAITING)?;
    let found = statement.query_map([from.0, from.1, STEP as i64], |row| {
        Ok((row.get(0)?, row.get(1)?, endpoint_id(&row.get::<_, String>(2)?)))
    })?;
    found.collect()
}

/// An id that cannot be read matches no number of `Free` but the default.
fn endpoint_id(text: &str) -> EndpointId {
    text.parse().unwrap_or_else(|_| EndpointId::from_xid(notify_core::id::Xid::from_bytes([0; 12])))
}

fn first_ready(tx: &Tx<'_>, queue: i64) -> rusqlite::Result<Option<i64>> {
    tx.conn.prepare_cached(FIRST_READY)?.query_row([queue], |row| row.get(0)).optional()
}

fn leave_run_queue(tx: &mut Tx<'_>, queue: i64) -> rusqlite::Result<()> {
    let first = first_ready(tx, queue)?;
    tx.pending.heads.remove(&queue);
    tx.conn.prepare_cached("UPDATE queue SET turn = NULL, head = ?2 WHERE id = ?1")?.execute(params![queue, first])?;
    Ok(())
}

fn set_head(tx: &Tx<'_>, queue: i64, head: Option<i64>) -> rusqlite::Result<()> {
    tx.conn.prepare_cached("UPDATE queue SET head = ?2 WHERE id = ?1")?.execute(params![queue, head])?;
    Ok(())
}

type DueRows = (Vec<(i64, i64, Claimed)>, Vec<(i64, CorruptRecord)>);

/// Due rows of one endpoint, the earliest first, with their number and tenant; and those that cannot be read.
fn due_rows(tx: &Tx<'_>, queue: i64, now: Timestamp, limit: usize) -> rusqlite::Result<DueRows> {
    let mut statement = tx.conn.prepare_cached(DUE_ROWS)?;
    let mut rows = statement.query(params![queue, now.as_millis(), limit as i64])?;
    let (mut due, mut corrupt) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        match delivery_and_event(row) {
            Ok((delivery, event)) => due.push((id, row.get(TENANT_COLUMN)?, Claimed { delivery, event })),
            Err(problem) => corrupt.push((id, corrupt_delivery(row, problem.into_problem()))),
        }
    }
    Ok((due, corrupt))
}

fn write_lease(tx: &Tx<'_>, id: i64, delivery: &notify_core::delivery::Delivery) -> rusqlite::Result<()> {
    let next = delivery.as_stored();
    tx.conn
        .prepare_cached(
            "UPDATE delivery SET state = ?2, ready_at = ?3, token = ?4, version = ?5, lost_leases = ?6 WHERE id = ?1",
        )?
        .execute(params![
            id,
            state_code(next.state),
            next.ready_at.map(Timestamp::as_millis),
            next.token.map(|token| token.to_bytes()),
            signed(next.version.get()),
            next.lost_leases,
        ])?;
    Ok(())
}
