//! Everything that writes, and the transaction it runs in.

mod activity;
mod apply;
mod claim;
mod endpoints;
mod insert;
mod prune;
mod sweep;
mod thread;

use std::collections::HashMap;

use notify_core::delivery::State;
use notify_core::{EndpointId, TenantId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use crate::rows::state_code;

pub(crate) use activity::width;
pub(crate) use apply::apply;
pub(crate) use claim::claim;
pub(crate) use endpoints::{create, delete, disable, replace};
pub(crate) use insert::{attach, insert};
pub(crate) use prune::prune;
pub(crate) use sweep::sweep;
pub(crate) use thread::{Message, Writer, WriterSettings};

/// For the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: [&[&str]; 4] =
    [activity::STATEMENTS, claim::STATEMENTS, prune::STATEMENTS, sweep::STATEMENTS];

/// More keys than this are looked up again: the memory stays bounded with any number of tenants.
const MAX_KEYS: usize = 50_000;

/// What the writer remembers from one transaction to the next: numbers that never change once they are committed.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    tenants: HashMap<TenantId, i64>,
    queues: HashMap<EndpointId, i64>,
    /// The minute for which old buckets of activity were removed last.
    swept: Option<Timestamp>,
}

impl Keys {
    fn forget(&mut self) {
        self.tenants.clear();
        self.queues.clear();
    }
}

/// One open transaction, and what is written once at its end instead of once a row.
pub(crate) struct Tx<'a> {
    conn: &'a Connection,
    keys: &'a mut Keys,
    pending: Pending,
}

#[derive(Clone, Debug, Default)]
struct Pending {
    /// How many deliveries more (or fewer) a tenant has in a state.
    tally: HashMap<(i64, i64), i64>,
    /// Queues whose earliest row may be as early as this.
    heads: HashMap<i64, i64>,
    /// The counter as it was read, and as it is.
    last: Option<(i64, i64)>,
    counts: activity::Counts,
    noteworthy: bool,
}

impl<'a> Tx<'a> {
    pub(crate) fn new(conn: &'a Connection, keys: &'a mut Keys) -> Self {
        if keys.tenants.len() + keys.queues.len() > MAX_KEYS {
            keys.forget();
        }
        Self { conn, keys, pending: Pending::default() }
    }

    /// Writes what was put off, and says whether there is anything that others may want to see. Must come right
    /// before the commit.
    pub(crate) fn finish(mut self) -> rusqlite::Result<bool> {
        self.write_heads()?;
        for ((tenant, state), delta) in self.pending.tally.drain() {
            if delta != 0 {
                self.conn
                    .prepare_cached(
                        "INSERT INTO tally(tenant, state, n) VALUES (?1, ?2, ?3)
                         ON CONFLICT DO UPDATE SET n = n + excluded.n",
                    )?
                    .execute(params![tenant, state, delta])?;
            }
        }
        self.pending.counts.write(self.conn, &mut self.keys.swept)?;
        if let Some((read, last)) = self.pending.last
            && read != last
        {
            self.conn.prepare_cached("UPDATE counter SET last = ?1 WHERE id = 1")?.execute([last])?;
        }
        Ok(self.pending.noteworthy)
    }

    /// The connection, for reading within the transaction.
    pub(crate) const fn conn(&self) -> &Connection {
        self.conn
    }

    /// Others may want to see what is written here.
    const fn note(&mut self) {
        self.pending.noteworthy = true;
    }

    /// Runs `work`, and undoes it if it answers `Undo`.
    fn undoable<T>(&mut self, work: impl FnOnce(&mut Self) -> rusqlite::Result<Kept<T>>) -> rusqlite::Result<T> {
        let before = self.pending.clone();
        self.conn.prepare_cached("SAVEPOINT call")?.execute([])?;
        let kept = work(self)?;
        match kept {
            Kept::Keep(value) => {
                self.conn.prepare_cached("RELEASE call")?.execute([])?;
                Ok(value)
            }
            Kept::Undo(value) => {
                self.conn.prepare_cached("ROLLBACK TO call")?.execute([])?;
                self.conn.prepare_cached("RELEASE call")?.execute([])?;
                self.keys.forget();
                self.pending = before;
                Ok(value)
            }
        }
    }

    /// A number that no row had before.
    fn next_number(&mut self) -> rusqlite::Result<i64> {
        let (read, last) = match self.pending.last {
            Some(counter) => counter,
            None => {
                let read = self
                    .conn
                    .prepare_cached("SELECT last FROM counter WHERE id = 1")?
                    .query_row([], |row| row.get(0))?;
                (read, read)
            }
        };
        self.pending.last = Some((read, last + 1));
        Ok(last + 1)
    }

    fn known_tenant(&mut self, tenant: &TenantId) -> rusqlite::Result<Option<i64>> {
        if let Some(id) = self.keys.tenants.get(tenant) {
            return Ok(Some(*id));
        }
        let id = self
            .conn
            .prepare_cached("SELECT id FROM tenant WHERE uid = ?1")?
            .query_row([tenant.as_str()], |row| row.get(0))
            .optional()?;
        if let Some(id) = id {
            self.keys.tenants.insert(tenant.clone(), id);
        }
        Ok(id)
    }

    fn tenant(&mut self, tenant: &TenantId) -> rusqlite::Result<i64> {
        if let Some(id) = self.known_tenant(tenant)? {
            return Ok(id);
        }
        self.conn.prepare_cached("INSERT INTO tenant(uid) VALUES (?1)")?.execute([tenant.as_str()])?;
        let id = self.conn.last_insert_rowid();
        self.keys.tenants.insert(tenant.clone(), id);
        Ok(id)
    }

    fn known_queue(&mut self, endpoint: &EndpointId) -> rusqlite::Result<Option<i64>> {
        if let Some(id) = self.keys.queues.get(endpoint) {
            return Ok(Some(*id));
        }
        let id = self
            .conn
            .prepare_cached("SELECT id FROM queue WHERE uid = ?1")?
            .query_row([endpoint.as_str()], |row| row.get(0))
            .optional()?;
        if let Some(id) = id {
            self.keys.queues.insert(endpoint.clone(), id);
        }
        Ok(id)
    }

    fn queue(&mut self, endpoint: &EndpointId, tenant: i64) -> rusqlite::Result<i64> {
        if let Some(id) = self.known_queue(endpoint)? {
            return Ok(id);
        }
        self.conn
            .prepare_cached("INSERT INTO queue(uid, tenant) VALUES (?1, ?2)")?
            .execute(params![endpoint.as_str(), tenant])?;
        let id = self.conn.last_insert_rowid();
        self.keys.queues.insert(endpoint.clone(), id);
        Ok(id)
    }

    fn count(&mut self, tenant: i64, state: State, delta: i64) {
        *self.pending.tally.entry((tenant, state_code(state))).or_default() += delta;
    }

    /// A row of this queue may be claimed from `ready_at` on.
    fn lower_head(&mut self, queue: i64, ready_at: i64) {
        let head = self.pending.heads.entry(queue).or_insert(ready_at);
        *head = (*head).min(ready_at);
    }

    fn write_heads(&mut self) -> rusqlite::Result<()> {
        for (queue, ready_at) in self.pending.heads.drain() {
            self.conn
                .prepare_cached("UPDATE queue SET head = ?2 WHERE id = ?1 AND (head IS NULL OR head > ?2)")?
                .execute([queue, ready_at])?;
        }
        Ok(())
    }
}

/// What to do with what was written.
enum Kept<T> {
    Keep(T),
    Undo(T),
}
