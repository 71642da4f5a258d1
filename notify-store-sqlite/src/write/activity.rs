//! Counting what happened. Gathered over the whole transaction, so that a burst to one endpoint costs a row or two.

use std::collections::HashMap;

use notify_core::Timestamp;
use notify_core::machine::Change;
use notify_core::store::activity::{Effect, Latencies, Resolution, Sign, counted, sign};
use rusqlite::{Connection, ToSql, params};

/// Old buckets are removed in steps of this many rows, a step each minute.
const REMOVE_STEP: i64 = 500;

const ADD: &str = "INSERT INTO activity(width, tenant, start, endpoint, type, effect, reason,
            l0, l1, l2, l3, l4, l5, l6, l7, l8, l9, l10, l11, l12, l13, l14, l15)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)
     ON CONFLICT DO UPDATE SET
            l0 = l0 + excluded.l0, l1 = l1 + excluded.l1, l2 = l2 + excluded.l2, l3 = l3 + excluded.l3,
            l4 = l4 + excluded.l4, l5 = l5 + excluded.l5, l6 = l6 + excluded.l6, l7 = l7 + excluded.l7,
            l8 = l8 + excluded.l8, l9 = l9 + excluded.l9, l10 = l10 + excluded.l10, l11 = l11 + excluded.l11,
            l12 = l12 + excluded.l12, l13 = l13 + excluded.l13, l14 = l14 + excluded.l14, l15 = l15 + excluded.l15";
const REMOVE_OLD: &str = "DELETE FROM activity WHERE (width, tenant, start, endpoint, type, effect, reason) IN (
         SELECT width, tenant, start, endpoint, type, effect, reason FROM activity
         WHERE width = ?1 AND start < ?2 LIMIT ?3)";

/// For the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[REMOVE_OLD];

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Key {
    tenant: i64,
    endpoint: i64,
    minute: Timestamp,
    event_type: String,
    effect: Effect,
}

/// What one transaction has to count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    attempts: HashMap<Key, Latencies>,
    /// The last sign of each endpoint, and the first failure since its last success.
    signs: HashMap<i64, (Well, Option<Timestamp>)>,
}

/// Whether a success was seen in this transaction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Well {
    Seen,
    NotSeen,
}

impl Counts {
    pub(crate) fn note(&mut self, tenant: i64, endpoint: i64, event_type: &str, change: &Change) {
        for one in counted(change) {
            let minute = Resolution::Minute.bucket(one.at);
            let key = Key { tenant, endpoint, minute, event_type: event_type.to_owned(), effect: one.effect };
            self.attempts.entry(key).or_default().0[one.class] += 1;
        }
        match sign(change) {
            Some(Sign::Well) => {
                self.signs.insert(endpoint, (Well::Seen, None));
            }
            Some(Sign::Ill(at)) => {
                let (_, since) = self.signs.entry(endpoint).or_insert((Well::NotSeen, None));
                since.get_or_insert(at);
            }
            None => {}
        }
    }

    /// Writes it. `swept` is the minute for which old buckets were removed last.
    pub(crate) fn write(&mut self, conn: &Connection, swept: &mut Option<Timestamp>) -> rusqlite::Result<()> {
        let mut hours: HashMap<Key, Latencies> = HashMap::new();
        let mut newest = None;
        for (key, latencies) in self.attempts.drain() {
            newest = newest.max(Some(key.minute));
            add(conn, Resolution::Minute, &key, &latencies)?;
            let hour = Key { minute: Resolution::Hour.bucket(key.minute), ..key };
            hours.entry(hour).or_default().add(&latencies);
        }
        for (key, latencies) in &hours {
            add(conn, Resolution::Hour, key, latencies)?;
        }
        if let Some(newest) = newest.filter(|_| newest > *swept) {
            *swept = Some(newest);
            for resolution in Resolution::ALL {
                let before = resolution.bucket(newest).saturating_sub(resolution.kept());
                conn.prepare_cached(REMOVE_OLD)?.execute([width(resolution), before.as_millis(), REMOVE_STEP])?;
            }
        }
        for (endpoint, (well, since)) in self.signs.drain() {
            if well == Well::Seen {
                conn.prepare_cached("DELETE FROM failing WHERE endpoint = ?1")?.execute([endpoint])?;
            }
            if let Some(since) = since {
                conn.prepare_cached("INSERT INTO failing(endpoint, since) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
                    .execute(params![endpoint, since.as_millis()])?;
            }
        }
        Ok(())
    }
}

pub(crate) fn width(resolution: Resolution) -> i64 {
    i64::try_from(resolution.width().as_millis()).unwrap_or(i64::MAX)
}

fn add(conn: &Connection, resolution: Resolution, key: &Key, latencies: &Latencies) -> rusqlite::Result<()> {
    let (effect, reason) = key.effect.as_words();
    let (width, start) = (width(resolution), key.minute.as_millis());
    let counts = latencies.0.map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    let mut values: Vec<&dyn ToSql> =
        vec![&width, &key.tenant, &start, &key.endpoint, &key.event_type, &effect, &reason];
    values.extend(counts.iter().map(|count| count as &dyn ToSql));
    conn.prepare_cached(ADD)?.execute(&values[..])?;
    Ok(())
}
