//! What happened by minute and by hour, and since when endpoints fail. Counted by the script that applies the change.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use notify_core::machine::Change;
use notify_core::store::activity::{Activity, ActivityQuery, Effect, Latencies, Resolution, Sign, counted, sign};
use notify_core::store::{Operation, StoreError};
use notify_core::{EndpointId, EventType, Timestamp};
use redis::Value;

use crate::open::unexpected_cause;
use crate::reply::{Args, fields, list, number, tuple};
use crate::{RedisStore, keys, script};

/// How many buckets one script reads, and how many endpoints.
const BUCKETS: usize = 60;
const ENDPOINTS: usize = 200;

pub(crate) fn add_resolutions(args: &mut Args) {
    args.number(Resolution::ALL.len());
    for resolution in Resolution::ALL {
        args.number(resolution.width().as_millis()).number(resolution.kept().as_millis());
    }
}

/// How a change counts: its sign, and of each attempt what stands behind endpoint and type in the bucket's field.
pub(crate) fn add_counted(args: &mut Args, change: &Change) {
    match sign(change) {
        None => args.text(""),
        Some(Sign::Well) => args.text("well"),
        Some(Sign::Ill(at)) => args.time(at),
    };
    args.number(change.attempts().len());
    for one in counted(change) {
        let (effect, reason) = one.effect.as_words();
        args.text(&format!("{effect}/{reason}/{}", one.class));
        for resolution in Resolution::ALL {
            args.time(resolution.bucket(one.at));
        }
    }
}

impl RedisStore {
    pub(crate) async fn counted(&self, query: &ActivityQuery) -> Result<Vec<Activity>, StoreError> {
        let (shard, tenant) = (self.shard_of(&query.tenant), keys::tenant(&query.tenant));
        let mut activity = Vec::new();
        let mut from = query.since.as_millis().to_string();
        loop {
            let mut args = Args::new();
            args.number(query.resolution.width().as_millis()).text(&tenant);
            args.text(&from).time(query.until).number(BUCKETS);
            let buckets = list(self.run(Operation::Log, &script::ACTIVITY, shard, &args).await?);
            let mut last = None;
            for bucket in buckets {
                let found = tuple(bucket).and_then(|[start, counts]| Some((number(start)?, counts)));
                let (start, counts) = found.ok_or_else(|| unexpected("activity"))?;
                last = Some(start);
                activity.extend(bucket_of(Timestamp::from_millis(start), counts, query.endpoint.as_ref()));
            }
            let Some(last) = last else { return Ok(activity) };
            from = format!("({last}");
        }
    }

    /// An endpoint's id does not say whose it is, so every shard is asked. A shard that does not answer matters only if
    /// nobody said of some endpoint that it fails.
    pub(crate) async fn failing(&self, endpoints: &[EndpointId]) -> Result<Vec<Option<Timestamp>>, StoreError> {
        let mut failing = Vec::with_capacity(endpoints.len());
        for chunk in endpoints.chunks(ENDPOINTS) {
            let mut args = Args::new();
            chunk.iter().for_each(|id| {
                args.text(id.as_str());
            });
            let mut found: Vec<Option<Timestamp>> = vec![None; chunk.len()];
            let mut answers = self.run_each(Operation::Log, &script::FAILING, &args);
            let mut failed = None;
            while let Some((_, answer)) = answers.next().await {
                match answer {
                    Ok(answer) => {
                        for (place, since) in found.iter_mut().zip(list(answer)) {
                            *place = place.or(number(since).map(Timestamp::from_millis));
                        }
                    }
                    Err(error) => failed = Some(error),
                }
            }
            if let Some(error) = failed.filter(|_| found.contains(&None)) {
                return Err(error);
            }
            failing.extend(found);
        }
        Ok(failing)
    }
}

/// The rows of one bucket. A field that cannot be read must not hide the others.
fn bucket_of(start: Timestamp, counts: Value, wanted: Option<&EndpointId>) -> impl Iterator<Item = Activity> {
    let mut rows: BTreeMap<(EndpointId, EventType, Effect), Latencies> = BTreeMap::new();
    for (field, count) in fields(counts) {
        let read = || {
            let [endpoint, event_type, effect, reason, class] =
                std::str::from_utf8(&field).ok()?.split('/').collect::<Vec<_>>().try_into().ok()?;
            let key = (endpoint.parse().ok()?, event_type.parse().ok()?, Effect::parse(effect, reason)?);
            Some((key, class.parse::<usize>().ok()?, std::str::from_utf8(&count).ok()?.parse::<u64>().ok()?))
        };
        let Some((key, class, count)) = read() else { continue };
        if wanted.is_none_or(|wanted| *wanted == key.0)
            && let Some(place) = rows.entry(key).or_default().0.get_mut(class)
        {
            *place = place.saturating_add(count);
        }
    }
    rows.into_iter().map(move |((endpoint, event_type, effect), latencies)| Activity {
        start,
        endpoint,
        event_type,
        effect,
        latencies,
    })
}

fn unexpected(script: &str) -> StoreError {
    StoreError::unavailable(Operation::Log, unexpected_cause(script))
}
