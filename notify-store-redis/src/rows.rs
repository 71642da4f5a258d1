//! Rows and values, each way.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use notify_core::delivery::{Attempt, Delivery, NewDelivery, Outcome, Reason, ResponseHead, Start, State, Timing};
use notify_core::event::{Event, EventKey, Purpose};
use notify_core::id::{AttemptNumber, ChangeId, ClaimToken, Round, Version};
use notify_core::{DeliveryId, Timestamp};
use redis::Value;
use serde::{Deserialize, Serialize};

use crate::keys;
use crate::reply::{Args, Fields, bytes, number, text, tuple};

/// The layout's numbers of the states, by position.
const STATES: [State; 6] =
    [State::Scheduled, State::InFlight, State::Delivered, State::Held, State::Failed, State::Cancelled];

/// What is wrong with a row; never a value of it.
#[derive(Debug)]
pub(crate) struct Unreadable(pub(crate) String);

/// The layout's number of a state.
pub(crate) fn state_code(state: State) -> usize {
    STATES.iter().position(|known| *known == state).unwrap_or(STATES.len())
}

/// The state with this number.
pub(crate) fn state_of(code: &str) -> Option<State> {
    code.parse::<usize>().ok().and_then(|index| STATES.get(index)).copied()
}

/// A token or a change's id, as text.
pub(crate) fn hex_of(bytes: [u8; 16]) -> String {
    hex::encode(bytes)
}

pub(crate) fn optional<T: FromStr>(fields: &Fields, name: &str) -> Result<Option<T>, Unreadable> {
    let Some(bytes) = fields.get(name.as_bytes()) else { return Ok(None) };
    let text = std::str::from_utf8(bytes).ok();
    text.and_then(|text| text.parse().ok()).map(Some).ok_or_else(|| Unreadable(format!("field {name} is malformed")))
}

pub(crate) fn needed<T: FromStr>(fields: &Fields, name: &str) -> Result<T, Unreadable> {
    optional(fields, name)?.ok_or_else(|| Unreadable(format!("field {name} is missing")))
}

fn time(fields: &Fields, name: &str) -> Result<Option<Timestamp>, Unreadable> {
    Ok(optional::<i64>(fields, name)?.map(Timestamp::from_millis))
}

fn id16(fields: &Fields, name: &str) -> Result<Option<[u8; 16]>, Unreadable> {
    let Some(text) = fields.get(name.as_bytes()) else { return Ok(None) };
    let mut bytes = [0; 16];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| Unreadable(format!("field {name} is malformed")))?;
    Ok(Some(bytes))
}

fn event_key(fields: &Fields) -> Result<EventKey, Unreadable> {
    let text: String = needed(fields, "e")?;
    keys::parse_event(&text).ok_or_else(|| Unreadable("field e is malformed".to_owned()))
}

/// A delivery's hash.
pub(crate) fn delivery(id: &str, fields: &Fields) -> Result<Delivery, Unreadable> {
    let id: DeliveryId = id.parse().map_err(|_| Unreadable("its id is malformed".to_owned()))?;
    let mut stored = Delivery::blank(id, event_key(fields)?, needed(fields, "p")?);
    let state: String = needed(fields, "s")?;
    stored.state = state_of(&state).ok_or_else(|| Unreadable("its state is unknown".to_owned()))?;
    stored.ready_at = time(fields, "at")?;
    stored.token = id16(fields, "tok")?.map(ClaimToken::from_bytes);
    stored.version = Version::new(needed(fields, "v")?);
    stored.round = Round::new(needed(fields, "r")?);
    stored.attempts = needed(fields, "a")?;
    stored.failures = needed(fields, "f")?;
    stored.lost_leases = needed(fields, "ll")?;
    stored.lost_logged = needed(fields, "lg")?;
    stored.reason = match optional::<String>(fields, "rs")? {
        None => None,
        Some(word) => Some(Reason::parse(&word).ok_or_else(|| Unreadable("its reason is unknown".to_owned()))?),
    };
    stored.created_at = Timestamp::from_millis(needed(fields, "c")?);
    stored.settled_at = time(fields, "z")?;
    stored.last_change = id16(fields, "lc")?.map(ChangeId::from_bytes);
    Delivery::restore(stored).map_err(|error| Unreadable(error.to_string()))
}

/// What an event or a delivery is for.
pub(crate) fn purpose(fields: &Fields) -> Purpose {
    if fields.contains_key(&b"pu"[..]) { Purpose::Test } else { Purpose::Live }
}

/// An event from its fields `ty`, `ts` and `b`.
pub(crate) fn event(key: EventKey, found: Value) -> Result<Event, Unreadable> {
    let problem = |name: &str| Unreadable(format!("its event's {name} is missing or malformed"));
    let [kind, at, body] = tuple(found).ok_or_else(|| problem("row"))?;
    if body == Value::Nil {
        return Err(problem("body"));
    }
    Ok(Event {
        key,
        event_type: text(kind).parse().map_err(|_| problem("type"))?,
        timestamp: number(at).map(Timestamp::from_millis).ok_or_else(|| problem("timestamp"))?,
        body: Bytes::from(bytes(body)),
    })
}

/// The arguments of a new delivery: id, endpoint, state, time, token.
pub(crate) fn add_new(args: &mut Args, new: &NewDelivery) {
    let (state, at, token) = match new.start {
        Start::Due(at) => (State::Scheduled, at, None),
        Start::Leased { token, until } => (State::InFlight, until, Some(token)),
        Start::Held(at) => (State::Held, at, None),
    };
    args.number(new.id).text(new.endpoint.as_str()).number(state_code(state)).time(at);
    args.optional(token.map(|token| hex_of(token.to_bytes())));
}

/// An attempt as it is stored: this as JSON, a line end, and the answer's bytes as they came.
#[derive(Deserialize, Serialize)]
struct StoredAttempt {
    round: u32,
    started_at: i64,
    nanos: u64,
    outcome: String,
    status: Option<u16>,
    error: Option<String>,
    detail: Option<String>,
    url: Option<String>,
    /// Whether an answer came, and whether there was more of it.
    truncated: Option<bool>,
    peer: Option<IpAddr>,
    /// As [`Timing::to_text`] writes it. Releases before there were any left it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    timing: Option<String>,
}

pub(crate) fn attempt_bytes(attempt: &Attempt) -> Vec<u8> {
    let stored = StoredAttempt {
        round: attempt.round.get(),
        started_at: attempt.started_at.as_millis(),
        nanos: u64::try_from(attempt.duration.as_nanos()).unwrap_or(u64::MAX),
        outcome: attempt.outcome.as_str().to_owned(),
        status: attempt.status_code,
        error: attempt.error.clone(),
        detail: attempt.detail.clone(),
        url: attempt.url.as_deref().map(str::to_owned),
        truncated: attempt.response.as_ref().map(|head| head.truncated),
        peer: attempt.peer,
        timing: attempt.timing.map(|timing| timing.to_text()),
    };
    // Numbers and texts alone: there is nothing that JSON cannot hold.
    let mut bytes = serde_json::to_vec(&stored).unwrap_or_default();
    bytes.push(b'\n');
    if let Some(head) = &attempt.response {
        bytes.extend_from_slice(&head.bytes);
    }
    bytes
}

pub(crate) fn attempt(number: u32, bytes: &[u8]) -> Result<Attempt, Unreadable> {
    let malformed = || Unreadable(format!("attempt {number} is malformed"));
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(malformed)?;
    let stored: StoredAttempt = serde_json::from_slice(&bytes[..end]).map_err(|_| malformed())?;
    let timing = stored.timing.map(|text| Timing::parse(&text).ok_or_else(malformed)).transpose()?;
    let body = || Bytes::copy_from_slice(&bytes[end + 1..]);
    Ok(Attempt {
        number: AttemptNumber::new(number),
        round: Round::new(stored.round),
        started_at: Timestamp::from_millis(stored.started_at),
        duration: Duration::from_nanos(stored.nanos),
        outcome: Outcome::parse(&stored.outcome).ok_or_else(malformed)?,
        status_code: stored.status,
        error: stored.error,
        detail: stored.detail,
        url: stored.url.map(Arc::from),
        response: stored.truncated.map(|truncated| ResponseHead { bytes: body(), truncated }),
        peer: stored.peer,
        timing,
    })
}

#[cfg(test)]
mod tests {
    use notify_core::delivery::ConnectionUse;

    use super::*;

    fn stored(more: &str) -> Vec<u8> {
        let row = r#""round":1,"started_at":5,"nanos":7,"outcome":"success","status":200,"truncated":false"#;
        format!("{{{row}{more}}}\nok").into_bytes()
    }

    /// Such rows are there from before there were timings, and of attempts that nobody measured.
    #[test]
    fn an_attempt_without_a_timing_is_written_and_read_as_ever() {
        let read = attempt(1, &stored("")).unwrap();
        assert_eq!((read.status_code, read.timing), (Some(200), None));
        assert!(!String::from_utf8(attempt_bytes(&read)).unwrap().contains("timing"));
    }

    #[test]
    fn a_timing_is_read_and_a_malformed_one_makes_the_row_unreadable() {
        let timing = attempt(1, &stored(r#","timing":"rf140000""#)).unwrap().timing.unwrap();
        assert_eq!(timing.connection(), ConnectionUse::Reused);
        let problem = attempt(3, &stored(r#","timing":"canary""#)).unwrap_err();
        assert_eq!(problem.0, "attempt 3 is malformed");
    }
}
