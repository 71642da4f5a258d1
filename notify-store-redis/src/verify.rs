//! Whether the indexes agree with the rows.

use std::collections::BTreeMap;

use notify_core::store::{Operation, StoreError};

use crate::open::unexpected_cause;
use crate::reply::{Args, fields, list, text, tuple};
use crate::{RedisStore, script};

/// How many rows one script compares.
const CHUNK: usize = 200;

/// An index and a row that differ.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IndexFault(String);

impl std::fmt::Display for IndexFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl RedisStore {
    /// Compares every row with every index, a part at a time, and tells what differs: nothing, unless somebody wrote
    /// past the store. Rows that a claim found unreadable are passed over. Others may work meanwhile, but then the
    /// counts by state may differ by what they write.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn verify_indexes(&self) -> Result<Vec<IndexFault>, StoreError> {
        let mut faults = Vec::new();
        for shard in 0..self.shards() {
            let mut cursor = "0".to_owned();
            loop {
                let mut args = Args::new();
                args.text(&cursor);
                let answer = self.run(Operation::Log, &script::TENANTS, shard, &args).await?;
                let [next, tenants] = tuple(answer).ok_or_else(|| unexpected("tenants"))?;
                for tenant in list(tenants) {
                    self.verify_tenant(shard, &text(tenant), &mut faults).await?;
                }
                cursor = text(next);
                if cursor == "0" {
                    break;
                }
            }
        }
        Ok(faults)
    }

    async fn verify_tenant(&self, shard: usize, tenant: &str, faults: &mut Vec<IndexFault>) -> Result<(), StoreError> {
        let mut counted: BTreeMap<Vec<u8>, i64> = BTreeMap::new();
        let mut below = "+inf".to_owned();
        loop {
            let mut args = Args::new();
            args.text(tenant).text(&below).number(CHUNK);
            let answer = self.run(Operation::Log, &script::VERIFY, shard, &args).await?;
            let [last, found, states] = tuple(answer).ok_or_else(|| unexpected("verify"))?;
            faults.extend(list(found).into_iter().map(|fault| IndexFault(text(fault))));
            for state in list(states) {
                *counted.entry(text(state).into_bytes()).or_default() += 1;
            }
            let last = text(last);
            if last.is_empty() {
                break;
            }
            below = format!("({last}");
        }
        let mut args = Args::new();
        args.text(&format!(":{tenant}"));
        let answer = self.run(Operation::Log, &script::STATS, shard, &args).await?;
        let [counts, _] = tuple(answer).ok_or_else(|| unexpected("stats"))?;
        for (state, count) in fields(counts) {
            let (kept, found) = (String::from_utf8_lossy(&count), counted.remove(&state).unwrap_or(0));
            if kept != found.to_string() {
                let state = String::from_utf8_lossy(&state).into_owned();
                faults.push(IndexFault(format!("tenant {tenant} has {found} rows in state {state}, counted {kept}")));
            }
        }
        Ok(())
    }
}

fn unexpected(script: &str) -> StoreError {
    StoreError::unavailable(Operation::Log, unexpected_cause(script))
}
