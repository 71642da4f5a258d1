//! Rows and values, each way.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use notify_core::delivery::{Attempt, Delivery, Outcome, Reason, ResponseHead, State, Timing};
use notify_core::event::{Event, EventKey, Purpose};
use notify_core::id::{AttemptNumber, ChangeId, ClaimToken, Round, Version};
use notify_core::store::{CorruptRecord, EventRecord};
use notify_core::{DeliveryId, EndpointId, Timestamp};
use rusqlite::Row;
use rusqlite::types::{FromSql, Type};

/// The schema's numbers of the states, by position.
const STATES: [State; 6] =
    [State::Scheduled, State::InFlight, State::Delivered, State::Held, State::Failed, State::Cancelled];

/// `SELECT` of deliveries with what [`delivery`] reads, and the rest of the statement.
macro_rules! select_deliveries {
    ($($tail:tt)+) => {
        concat!(
            "SELECT d.id, d.uid, t.uid, e.uid, q.uid, d.state, d.ready_at, d.token, d.version, d.round, d.attempts,
                    d.failures, d.lost_leases, d.lost_logged, d.reason, e.created_at, d.settled_at, d.last_change,
                    e.type, e.timestamp, e.body, d.tenant
             FROM delivery d
             LEFT JOIN event e ON e.id = d.event
             LEFT JOIN tenant t ON t.id = d.tenant
             LEFT JOIN queue q ON q.id = d.endpoint ",
            $($tail)+
        )
    };
}
pub(crate) use select_deliveries;

/// Where [`select_deliveries`] has the number of the tenant.
pub(crate) const TENANT_COLUMN: usize = 21;

/// `SELECT` of events with what [`event`] reads, and the rest of the statement.
macro_rules! select_events {
    ($($tail:tt)+) => {
        concat!(
            "SELECT e.id, t.uid, e.uid, e.type, e.timestamp, e.body, e.created_at, e.idempotency_key, e.test
             FROM event e
             LEFT JOIN tenant t ON t.id = e.tenant ",
            $($tail)+
        )
    };
}
pub(crate) use select_events;

/// The schema's number of a state.
pub(crate) fn state_code(state: State) -> i64 {
    STATES.iter().position(|known| *known == state).map_or(-1, |index| index as i64)
}

/// The state with this number.
pub(crate) fn state_of(code: i64) -> Option<State> {
    usize::try_from(code).ok().and_then(|index| STATES.get(index)).copied()
}

/// The schema's number of a purpose.
pub(crate) fn test_code(purpose: Purpose) -> i64 {
    i64::from(purpose == Purpose::Test)
}

/// Counters fit 63 bits: they grow by one a write.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn millis(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::as_millis)
}

/// What is wrong with a row.
#[derive(Debug)]
pub(crate) struct Unreadable(String);

impl Unreadable {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }

    pub(crate) fn into_problem(self) -> String {
        self.0
    }
}

/// A column, or why it cannot be read; the value itself stays out of the text.
pub(crate) fn column<T: FromSql>(row: &Row<'_>, index: usize, name: &str) -> Result<T, Unreadable> {
    row.get(index).map_err(|error| match error {
        rusqlite::Error::InvalidColumnType(_, _, Type::Null) => Unreadable(format!("{name} is missing")),
        _ => Unreadable(format!("{name} has a wrong type or size")),
    })
}

fn parsed<T: std::str::FromStr>(row: &Row<'_>, index: usize, name: &str) -> Result<T, Unreadable> {
    let text = row.get_ref(index).ok().and_then(|value| value.as_str().ok());
    let text = text.ok_or_else(|| Unreadable(format!("{name} is missing or no text")))?;
    text.parse().map_err(|_| Unreadable(format!("{name} is malformed")))
}

fn time(row: &Row<'_>, index: usize, name: &str) -> Result<Option<Timestamp>, Unreadable> {
    Ok(column::<Option<i64>>(row, index, name)?.map(Timestamp::from_millis))
}

fn needed_time(row: &Row<'_>, index: usize, name: &str) -> Result<Timestamp, Unreadable> {
    column::<i64>(row, index, name).map(Timestamp::from_millis)
}

fn count(row: &Row<'_>, index: usize, name: &str) -> Result<u32, Unreadable> {
    u32::try_from(column::<i64>(row, index, name)?).map_err(|_| Unreadable(format!("{name} is out of range")))
}

/// A delivery that [`select_deliveries`] selected.
pub(crate) fn delivery(row: &Row<'_>) -> Result<Delivery, Unreadable> {
    let key = EventKey { tenant: parsed(row, 2, "tenant")?, id: parsed(row, 3, "event")? };
    delivery_of(row, key)
}

fn delivery_of(row: &Row<'_>, key: EventKey) -> Result<Delivery, Unreadable> {
    let endpoint: EndpointId = parsed(row, 4, "endpoint")?;
    let mut stored = Delivery::blank(DeliveryId::from_bytes(column(row, 1, "uid")?), key, endpoint);
    stored.state = state_of(column(row, 5, "state")?).ok_or_else(|| Unreadable::new("state is unknown"))?;
    stored.ready_at = time(row, 6, "ready_at")?;
    stored.token = column::<Option<[u8; 16]>>(row, 7, "token")?.map(ClaimToken::from_bytes);
    stored.version = Version::new(column::<i64>(row, 8, "version")?.unsigned_abs());
    stored.round = Round::new(count(row, 9, "round")?);
    stored.attempts = count(row, 10, "attempts")?;
    stored.failures = count(row, 11, "failures")?;
    stored.lost_leases = count(row, 12, "lost_leases")?;
    stored.lost_logged = count(row, 13, "lost_logged")?;
    stored.reason = match row.get_ref(14).ok().map(|value| value.as_str_or_null()) {
        Some(Ok(None)) => None,
        Some(Ok(Some(word))) => Some(Reason::parse(word).ok_or_else(|| Unreadable::new("reason is unknown"))?),
        Some(Err(_)) | None => return Err(Unreadable::new("reason is no text")),
    };
    stored.created_at = needed_time(row, 15, "created_at")?;
    stored.settled_at = time(row, 16, "settled_at")?;
    stored.last_change = column::<Option<[u8; 16]>>(row, 17, "last_change")?.map(ChangeId::from_bytes);
    Delivery::restore(stored).map_err(|error| Unreadable(error.to_string()))
}

/// The same with its event.
pub(crate) fn delivery_and_event(row: &Row<'_>) -> Result<(Delivery, Arc<Event>), Unreadable> {
    let key = EventKey { tenant: parsed(row, 2, "tenant")?, id: parsed(row, 3, "event")? };
    let delivery = delivery_of(row, key.clone())?;
    let event = Event {
        key,
        event_type: parsed(row, 18, "event type")?,
        timestamp: needed_time(row, 19, "timestamp")?,
        body: Bytes::from(column::<Vec<u8>>(row, 20, "body")?),
    };
    Ok((delivery, Arc::new(event)))
}

/// The record's name for whoever mends it: the delivery's id if it can be read, else its number.
pub(crate) fn corrupt_delivery(row: &Row<'_>, problem: String) -> CorruptRecord {
    let record = match column(row, 1, "uid") {
        Ok(bytes) => DeliveryId::from_bytes(bytes).to_string(),
        Err(_) => format!("delivery {}", column::<i64>(row, 0, "id").unwrap_or_default()),
    };
    CorruptRecord { record, problem }
}

/// An event that [`select_events`] selected, without its deliveries.
pub(crate) fn record(row: &Row<'_>) -> Result<EventRecord, Unreadable> {
    let event = Event {
        key: EventKey { tenant: parsed(row, 1, "tenant")?, id: parsed(row, 2, "event")? },
        event_type: parsed(row, 3, "event type")?,
        timestamp: needed_time(row, 4, "timestamp")?,
        body: Bytes::from(column::<Vec<u8>>(row, 5, "body")?),
    };
    let key: Option<String> = column(row, 7, "idempotency_key")?;
    let key = key.map(|key| key.parse().map_err(|_| Unreadable::new("idempotency_key is malformed"))).transpose()?;
    Ok(EventRecord {
        event: Arc::new(event),
        created_at: needed_time(row, 6, "created_at")?,
        idempotency_key: key,
        purpose: if column::<bool>(row, 8, "test")? { Purpose::Test } else { Purpose::Live },
        deliveries: Vec::new(),
    })
}

/// An attempt: number, round, started_at, duration_nanos, outcome, status_code, error, detail, url, response,
/// response_truncated, peer, timing.
pub(crate) fn attempt(row: &Row<'_>) -> Result<Attempt, Unreadable> {
    let outcome: String = column(row, 4, "outcome")?;
    let url: Option<String> = column(row, 8, "url")?;
    let response: Option<Vec<u8>> = column(row, 9, "response")?;
    let truncated = column::<Option<i64>>(row, 10, "response_truncated")?.is_some_and(|flag| flag != 0);
    let peer: Option<String> = column(row, 11, "peer")?;
    let peer = peer.map(|text| text.parse::<IpAddr>().map_err(|_| Unreadable::new("peer is no address")));
    let timing: Option<String> = column(row, 12, "timing")?;
    let timing = timing.map(|text| Timing::parse(&text).ok_or_else(|| Unreadable::new("timing is malformed")));
    let status = column::<Option<i64>>(row, 5, "status_code")?.map(u16::try_from).transpose();
    Ok(Attempt {
        number: AttemptNumber::new(count(row, 0, "number")?),
        round: Round::new(count(row, 1, "round")?),
        started_at: needed_time(row, 2, "started_at")?,
        duration: Duration::from_nanos(column::<i64>(row, 3, "duration")?.unsigned_abs()),
        outcome: Outcome::parse(&outcome).ok_or_else(|| Unreadable::new("outcome is unknown"))?,
        status_code: status.map_err(|_| Unreadable::new("status_code is out of range"))?,
        error: column(row, 6, "error")?,
        detail: column(row, 7, "detail")?,
        url: url.map(Arc::from),
        response: response.map(|bytes| ResponseHead { bytes: Bytes::from(bytes), truncated }),
        peer: peer.transpose()?,
        timing: timing.transpose()?,
    })
}
