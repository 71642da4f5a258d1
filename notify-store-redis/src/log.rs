//! The delivery log. Pages go by number, newest first; each script reads a bounded part of one index.

use std::collections::BTreeSet;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::future::join_all;
use notify_core::delivery::{Attempt, Delivery, EventStatus, State};
use notify_core::event::{EventKey, Purpose};
use notify_core::id::IdempotencyKey;
use notify_core::store::activity::{Activity, ActivityQuery};
use notify_core::store::{
    Cursor, DeliveryLog, DeliveryQuery, EventQuery, EventRecord, Operation, Page, PageRequest, Pruned, Stats,
    StoreError,
};
use notify_core::{DeliveryId, EndpointId, EventType, TenantId, Timestamp};
use redis::Value;

use crate::open::{LAYOUT_VERSION, unexpected_cause};
use crate::place::Place;
use crate::reply::{Args, Fields, fields, list, number, text, tuple};
use crate::rows::{self, Unreadable, state_code, state_of};
use crate::settle::pair;
use crate::{RedisStore, keys, script};

/// How many rows one script looks at, how many a page looks at in all, and how many deliveries one prune removes.
const CHUNK: usize = 100;
const MOST_LOOKED_AT: usize = 1_000;
const MOST_PRUNED: u32 = 200;

/// An index: its key in the shard, and what it names.
pub(crate) struct Index {
    key: String,
    kind: &'static str,
}

impl Index {
    pub(crate) fn endpoints(tenant: &TenantId) -> Self {
        Self { key: format!("ps:{}", keys::tenant(tenant)), kind: "p" }
    }

    fn events(query: &EventQuery) -> Self {
        match &query.endpoint {
            Some(endpoint) => Self { key: Self::of_endpoint(endpoint), kind: "de" },
            None => Self { key: format!("lv:{}", keys::tenant(&query.tenant)), kind: "e" },
        }
    }

    /// The shortest one that has all that the query may find.
    fn deliveries(query: &DeliveryQuery) -> Self {
        let tenant = keys::tenant(&query.tenant);
        let key = match (&query.endpoint, query.state) {
            (Some(endpoint), _) => Self::of_endpoint(endpoint),
            (None, Some(state @ (State::Held | State::Failed | State::Cancelled))) => {
                format!("in:{}:{tenant}", state_code(state))
            }
            (None, _) => format!("lt:{tenant}"),
        };
        Self { key, kind: "d" }
    }

    fn of_endpoint(endpoint: &EndpointId) -> String {
        format!("le:{endpoint}")
    }
}

/// Where a page begins.
#[derive(Clone, Copy)]
pub(crate) enum Below {
    Any,
    Number(u64),
}

impl Below {
    pub(crate) fn page(page: PageRequest) -> Self {
        page.after.map_or(Self::Any, |cursor| Self::Number(cursor.0))
    }
}

/// One row of an index.
pub(crate) struct Entry {
    pub(crate) number: u64,
    pub(crate) name: String,
    pub(crate) row: Fields,
    deliveries: Vec<(String, Fields)>,
}

#[async_trait]
impl DeliveryLog for RedisStore {
    async fn event(&self, key: &EventKey) -> Result<Option<EventRecord>, StoreError> {
        let mut args = Args::new();
        args.text(&keys::event(key)).text("");
        self.one_event(&key.tenant, &args).await
    }

    async fn attempts(&self, delivery: &DeliveryId) -> Result<Vec<Attempt>, StoreError> {
        let mut args = Args::new();
        args.number(delivery);
        let mut failed = None;
        // A delivery's id does not say whose it is, so every shard is asked.
        let mut answers = self.run_each(Operation::Log, &script::ATTEMPTS, &args);
        while let Some((_, answer)) = answers.next().await {
            match answer {
                Ok(answer) => {
                    let attempts =
                        attempts(&fields(answer)).map_err(|problem| corrupt(delivery.to_string(), problem))?;
                    if !attempts.is_empty() {
                        return Ok(attempts);
                    }
                }
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or_else(|| Ok(Vec::new()), Err)
    }

    /// With an endpoint the pages follow that endpoint's deliveries, and cursors are their numbers.
    async fn events(&self, query: &EventQuery) -> Result<Page<EventRecord>, StoreError> {
        if let Some(key) = &query.key {
            return self.event_with_key(query, key).await;
        }
        let wanted = |found: &Summary| {
            found.key.tenant == query.tenant
                && query.event_type.as_ref().is_none_or(|wanted| *wanted == found.event_type)
                && query.purpose.is_none_or(|wanted| wanted == found.purpose)
                && query.since.is_none_or(|since| found.created_at >= since)
                && query.until.is_none_or(|until| found.created_at < until)
                && query.status.is_none_or(|wanted| wanted == found.status())
        };
        let read = |entry: Entry| {
            let key = keys::parse_event(&entry.name)?;
            summary(key, &entry.row, &entry.deliveries).ok().filter(wanted)
        };
        let page = self.page(&query.tenant, &Index::events(query), query.page, read).await?;
        let read = join_all(page.items.into_iter().map(|found| self.with_event(found))).await;
        let mut items = Vec::with_capacity(read.len());
        for record in read {
            // One that cannot be read must not hide the others.
            items.extend(record?);
        }
        Ok(Page { items, next: page.next })
    }

    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Page<Delivery>, StoreError> {
        let read = |entry: Entry| {
            let event_type: EventType = rows::needed(&entry.row, "ty").ok()?;
            let delivery = rows::delivery(&entry.name, &entry.row).ok()?;
            query.wants(&delivery, &event_type, rows::purpose(&entry.row)).then_some(delivery)
        };
        self.page(&query.tenant, &Index::deliveries(query), query.page, read).await
    }

    async fn stats(&self, tenant: Option<&TenantId>, _now: Timestamp) -> Result<Stats, StoreError> {
        let mut args = Args::new();
        let answers: Vec<Result<Value, StoreError>> = match tenant {
            Some(tenant) => {
                args.text(&format!(":{}", keys::tenant(tenant)));
                vec![self.run(Operation::Log, &script::STATS, self.shard_of(tenant), &args).await]
            }
            None => {
                args.text("");
                self.run_each(Operation::Log, &script::STATS, &args).map(|(_, answer)| answer).collect().await
            }
        };
        let mut stats = Stats::default();
        stats.kind = "redis";
        stats.schema_version = LAYOUT_VERSION;
        for answer in answers {
            let [counts, due] = tuple(answer?).ok_or_else(|| unexpected("stats"))?;
            for (state, count) in fields(counts) {
                let state = std::str::from_utf8(&state).ok().and_then(state_of);
                let count = std::str::from_utf8(&count).ok().and_then(|count| count.parse::<u64>().ok());
                if let (Some(state), Some(count)) = (state, count.filter(|count| *count > 0)) {
                    *stats.by_state.entry(state).or_default() += count;
                }
            }
            let due = number(due).map(Timestamp::from_millis);
            stats.oldest_due = stats.oldest_due.into_iter().chain(due).min();
        }
        Ok(stats)
    }

    async fn activity(&self, query: &ActivityQuery) -> Result<Vec<Activity>, StoreError> {
        self.counted(query).await
    }

    async fn failing_since(&self, endpoints: &[EndpointId]) -> Result<Vec<Option<Timestamp>>, StoreError> {
        self.failing(endpoints).await
    }

    async fn tenants_with_held(&self, page: PageRequest) -> Result<Page<TenantId>, StoreError> {
        let mut place = Place::of(page.after);
        while place.shard < self.shards() {
            let mut args = Args::new();
            args.number(place.within);
            let answer = self.run(Operation::Log, &script::HOLDING, place.shard, &args).await?;
            let [next, names] = tuple(answer).ok_or_else(|| unexpected("holding"))?;
            place.go_on_at(number(next).and_then(|next| u64::try_from(next).ok()).unwrap_or(0));
            let items: Vec<TenantId> =
                list(names).into_iter().filter_map(|name| keys::parse_tenant(&text(name))).collect();
            if !items.is_empty() {
                let next = (place.shard < self.shards()).then(|| place.cursor());
                return Ok(Page { items, next });
            }
        }
        Ok(Page { items: Vec::new(), next: None })
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<Pruned, StoreError> {
        let mut events = 0;
        for shard in 0..self.shards() {
            while events < limit {
                let mut args = Args::new();
                args.time(before).number((limit - events).min(CHUNK as u32)).number(MOST_PRUNED);
                let answer = self.run(Operation::Log, &script::PRUNE, shard, &args).await?;
                let removed = tuple(answer).and_then(|[removed, early]| Some((number(removed)?, number(early)?)));
                let (removed, early) = removed.ok_or_else(|| unexpected("prune"))?;
                events += u32::try_from(removed).unwrap_or(0);
                if removed == 0 && early == 0 {
                    break;
                }
            }
        }
        Ok(Pruned { events })
    }
}

impl RedisStore {
    async fn with_event(&self, found: Summary) -> Result<Result<EventRecord, Unreadable>, StoreError> {
        let shard = self.shard_of(&found.key.tenant);
        let mut events = self.read_events(Operation::Log, shard, BTreeSet::from([&found.key])).await?;
        let event = events.remove(&found.key).unwrap_or_else(|| Err(Unreadable("it is gone".to_owned())));
        Ok(event.map(|event| {
            let Summary { created_at, idempotency_key, purpose, deliveries, .. } = found;
            EventRecord { event, created_at, idempotency_key, purpose, deliveries }
        }))
    }

    async fn one_event(&self, tenant: &TenantId, args: &Args) -> Result<Option<EventRecord>, StoreError> {
        let answer = self.run(Operation::Log, &script::EVENT, self.shard_of(tenant), args).await?;
        let [name, row, deliveries] = tuple(answer).ok_or_else(|| unexpected("event"))?;
        let row = fields(row);
        if row.is_empty() {
            return Ok(None);
        }
        let key = keys::parse_event(&text(name)).ok_or_else(|| unexpected("event"))?;
        let id = key.id.to_string();
        let summary = summary(key, &row, &rows_of(deliveries)).map_err(|problem| corrupt(id.clone(), problem))?;
        self.with_event(summary).await?.map(Some).map_err(|problem| corrupt(id, problem))
    }

    /// A key names one event at most, so there is no second page.
    async fn event_with_key(&self, query: &EventQuery, key: &IdempotencyKey) -> Result<Page<EventRecord>, StoreError> {
        let mut args = Args::new();
        args.text("").text(&keys::idempotency(&query.tenant, key));
        let found = match query.page.after {
            None => self.one_event(&query.tenant, &args).await?,
            Some(_) => None,
        };
        Ok(Page { items: found.into_iter().filter(|record| query.wants(record)).collect(), next: None })
    }

    /// Some rows of an index, newest first.
    pub(crate) async fn entries(
        &self,
        operation: Operation,
        tenant: &TenantId,
        index: &Index,
        below: Below,
        many: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut args = Args::new();
        args.text(&index.key).text(index.kind);
        match below {
            Below::Any => args.text("+inf"),
            Below::Number(number) => args.text(&format!("({number}")),
        };
        args.number(many);
        let answer = self.run(operation, &script::PAGE, self.shard_of(tenant), &args).await?;
        let entries = list(answer).into_iter().map(|found| {
            let [place, name, row, deliveries] = tuple(found)?;
            let place = u64::try_from(number(place)?).ok()?;
            Some(Entry { number: place, name: text(name), row: fields(row), deliveries: rows_of(deliveries) })
        });
        entries.collect::<Option<Vec<_>>>().ok_or_else(|| StoreError::unavailable(operation, unexpected_cause("page")))
    }

    /// A page of those rows that `read` wants.
    async fn page<T>(
        &self,
        tenant: &TenantId,
        index: &Index,
        page: PageRequest,
        read: impl Fn(Entry) -> Option<T> + Send,
    ) -> Result<Page<T>, StoreError>
    where
        T: Send,
    {
        let limit = page.limit.clamp(1, 100) as usize;
        let mut items: Vec<(u64, T)> = Vec::new();
        let (mut below, mut looked_at, mut next) = (Below::page(page), 0, None);
        while looked_at < MOST_LOOKED_AT {
            let many = if looked_at == 0 { CHUNK.min(limit + 1) } else { CHUNK };
            let entries = self.entries(Operation::Log, tenant, index, below, many).await?;
            next = entries.last().map(|entry| Cursor(entry.number));
            let Some(last) = next else { break };
            below = Below::Number(last.0);
            looked_at += entries.len();
            for entry in entries {
                let number = entry.number;
                items.extend(read(entry).map(|item| (number, item)));
            }
            if items.len() > limit {
                items.truncate(limit);
                next = items.last().map(|(number, _)| Cursor(*number));
                break;
            }
        }
        Ok(Page { items: items.into_iter().map(|(_, item)| item).collect(), next })
    }
}

fn rows_of(value: Value) -> Vec<(String, Fields)> {
    list(value).into_iter().filter_map(pair).map(|(id, row)| (id, fields(row))).collect()
}

/// An event and its deliveries before its body is read.
struct Summary {
    key: EventKey,
    event_type: EventType,
    created_at: Timestamp,
    idempotency_key: Option<IdempotencyKey>,
    purpose: Purpose,
    deliveries: Vec<Delivery>,
}

impl Summary {
    fn status(&self) -> EventStatus {
        EventStatus::of(self.deliveries.iter().map(Delivery::state))
    }
}

/// Deliveries that cannot be read are left out: one must not hide the others. A claim names them (S13).
fn summary(key: EventKey, row: &Fields, deliveries: &[(String, Fields)]) -> Result<Summary, Unreadable> {
    let idempotency_key = match rows::optional::<String>(row, "k")? {
        None => None,
        Some(text) => Some(
            keys::parse_idempotency(&key.tenant, &text).ok_or_else(|| Unreadable("field k is malformed".to_owned()))?,
        ),
    };
    Ok(Summary {
        key,
        idempotency_key,
        purpose: rows::purpose(row),
        event_type: rows::needed(row, "ty")?,
        created_at: Timestamp::from_millis(rows::needed(row, "c")?),
        deliveries: deliveries.iter().filter_map(|(id, row)| rows::delivery(id, row).ok()).collect(),
    })
}

/// Beside the attempts the hash has the ids of the changes that wrote them: those are no numbers of ten digits.
fn attempts(fields: &Fields) -> Result<Vec<Attempt>, Unreadable> {
    let numbered = fields.iter().filter_map(|(name, bytes)| {
        let number = std::str::from_utf8(name).ok().filter(|name| name.len() <= 10)?;
        Some((number.parse::<u32>().ok()?, bytes))
    });
    let mut attempts = numbered.map(|(number, bytes)| rows::attempt(number, bytes)).collect::<Result<Vec<_>, _>>()?;
    attempts.sort_unstable_by_key(|attempt| attempt.number);
    Ok(attempts)
}

fn corrupt(record: String, Unreadable(problem): Unreadable) -> StoreError {
    StoreError::Corrupt { record, problem }
}

fn unexpected(script: &str) -> StoreError {
    StoreError::unavailable(Operation::Log, unexpected_cause(script))
}
