//! Publishing: S1, and `attach` of S14.

use notify_core::delivery::{Delivery, NewDelivery};
use notify_core::event::EventKey;
use notify_core::store::{InsertOutcome, Inserted, PublishBatch, PublishedEvent, StoreError};
use notify_core::{EventId, Timestamp};
use rusqlite::{OptionalExtension, params};

use crate::rows::{millis, state_code, test_code};

use super::{Kept, Tx};

pub(crate) fn insert(tx: &mut Tx<'_>, batch: &PublishBatch) -> rusqlite::Result<InsertOutcome> {
    if batch.events.len() < 2 {
        // A conflict of the only event is found before anything is written.
        return insert_all(tx, batch);
    }
    tx.undoable(|tx| {
        Ok(match insert_all(tx, batch)? {
            stored @ InsertOutcome::Stored(_) => Kept::Keep(stored),
            conflict @ InsertOutcome::Conflict { .. } => Kept::Undo(conflict),
        })
    })
}

/// Adds deliveries to an event that is stored.
pub(crate) fn attach(
    tx: &mut Tx<'_>,
    key: &EventKey,
    deliveries: &[NewDelivery],
) -> rusqlite::Result<Result<usize, StoreError>> {
    let Some(tenant) = tx.known_tenant(&key.tenant)? else { return Ok(Err(StoreError::UnknownEvent)) };
    let found = tx
        .conn
        .prepare_cached("SELECT id, created_at, test FROM event WHERE tenant = ?1 AND uid = ?2")?
        .query_row(params![tenant, key.id.as_str()], |row| {
            let created_at = Timestamp::from_millis(row.get(1)?);
            Ok(Parent { tenant, number: row.get(0)?, key, created_at, test: row.get(2)? })
        })
        .optional()?;
    let Some(parent) = found else { return Ok(Err(StoreError::UnknownEvent)) };
    let mut added = 0;
    for new in deliveries {
        added += insert_delivery(tx, &parent, new)?;
    }
    tx.note();
    Ok(Ok(added))
}

fn insert_all(tx: &mut Tx<'_>, batch: &PublishBatch) -> rusqlite::Result<InsertOutcome> {
    let mut answers = Vec::with_capacity(batch.events.len());
    for (index, published) in batch.events.iter().enumerate() {
        let tenant = tx.tenant(&published.event.key.tenant)?;
        if let Some(number) = insert_event(tx, tenant, published, batch.now)? {
            let test = test_code(published.purpose);
            let parent = Parent { tenant, number, key: &published.event.key, created_at: batch.now, test };
            for new in &published.deliveries {
                insert_delivery(tx, &parent, new)?;
            }
            tx.note();
            answers.push(Inserted::New);
            continue;
        }
        let (first, same, deliveries) = taken_by(tx, tenant, published)?;
        if !same {
            return Ok(InsertOutcome::Conflict { index, existing: first });
        }
        answers.push(Inserted::Duplicate { first, deliveries });
    }
    Ok(InsertOutcome::Stored(answers))
}

/// The new event's number, or `None` where its id or key is taken: the unique indexes decide.
fn insert_event(
    tx: &mut Tx<'_>,
    tenant: i64,
    published: &PublishedEvent,
    now: Timestamp,
) -> rusqlite::Result<Option<i64>> {
    let number = tx.next_number()?;
    let event = &published.event;
    let written = tx
        .conn
        .prepare_cached(
            "INSERT INTO event(id, tenant, uid, idempotency_key, fingerprint, type, timestamp, created_at, body, test)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            number,
            tenant,
            event.key.id.as_str(),
            published.idempotency_key.as_ref().map(|key| key.as_str()),
            &published.fingerprint[..],
            event.event_type.as_str(),
            event.timestamp.as_millis(),
            now.as_millis(),
            &event.body[..],
            test_code(published.purpose),
        ])?;
    Ok((written > 0).then_some(number))
}

/// Who has the id, or else the key: its id, whether its content is the same, and how many deliveries it has.
fn taken_by(tx: &Tx<'_>, tenant: i64, published: &PublishedEvent) -> rusqlite::Result<(EventId, bool, usize)> {
    let read =
        |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, Vec<u8>>(2)?));
    let by_id = tx
        .conn
        .prepare_cached("SELECT id, uid, fingerprint FROM event WHERE tenant = ?1 AND uid = ?2")?
        .query_row(params![tenant, published.event.key.id.as_str()], read)
        .optional()?;
    let (number, uid, fingerprint) = match by_id {
        Some(found) => found,
        None => tx
            .conn
            .prepare_cached(
                "SELECT id, uid, fingerprint FROM event
                 WHERE tenant = ?1 AND idempotency_key = ?2 AND idempotency_key IS NOT NULL",
            )?
            .query_row(params![tenant, published.idempotency_key.as_ref().map(|key| key.as_str())], read)?,
    };
    let deliveries: i64 = tx
        .conn
        .prepare_cached("SELECT count(*) FROM delivery WHERE event = ?1")?
        .query_row([number], |row| row.get(0))?;
    // An id that cannot be read is still an event with other content; ours names the conflict as well.
    let first = uid.parse().unwrap_or_else(|_| published.event.key.id.clone());
    Ok((first, fingerprint == published.fingerprint, usize::try_from(deliveries).unwrap_or_default()))
}

/// The stored event whose deliveries are written.
struct Parent<'a> {
    tenant: i64,
    number: i64,
    key: &'a EventKey,
    created_at: Timestamp,
    test: i64,
}

/// Writes one delivery unless it exists; says how many were written.
fn insert_delivery(tx: &mut Tx<'_>, event: &Parent<'_>, new: &NewDelivery) -> rusqlite::Result<usize> {
    let queue = tx.queue(&new.endpoint, event.tenant)?;
    let number = tx.next_number()?;
    let begun = Delivery::begin(event.key.clone(), new, event.created_at).into_stored();
    let written = tx
        .conn
        .prepare_cached(
            "INSERT INTO delivery(id, uid, tenant, event, endpoint, state, ready_at, token, test)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT(uid) DO NOTHING",
        )?
        .execute(params![
            number,
            &new.id.as_bytes()[..],
            event.tenant,
            event.number,
            queue,
            state_code(begun.state),
            millis(begun.ready_at),
            begun.token.map(|token| token.to_bytes()),
            event.test,
        ])?;
    if written > 0 {
        tx.count(event.tenant, begun.state, 1);
        if let Some(ready_at) = begun.ready_at
            && begun.state.is_claimable()
        {
            tx.lower_head(queue, ready_at.as_millis());
        }
    }
    Ok(written)
}
