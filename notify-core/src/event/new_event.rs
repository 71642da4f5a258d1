//! An event as the host hands it in.

use std::fmt;

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::id::{EventId, EventType, IdempotencyKey, TenantId};
use crate::input::InvalidInput;
use crate::time::Timestamp;

use super::{Event, EventKey, EventPayload, envelope};

/// The SHA-256 that decides whether two publishes have the same content: tenant, type, `data` bytes, and the
/// timestamp if the host gave one.
pub type Fingerprint = [u8; 32];

/// One event to publish: a type and JSON data, and what the host may set besides.
///
/// ```
/// use notify_core::NewEvent;
/// let event = NewEvent::new("connection.created", r#"{"connection_id":"con_1"}"#)?
///     .with_id("evt-from-my-outbox")?
///     .with_idempotency_key("request-77")?;
/// # Ok::<(), notify_core::InvalidInput>(())
/// ```
#[derive(Clone)]
pub struct NewEvent {
    event_type: EventType,
    data: Box<RawValue>,
    id: Option<EventId>,
    idempotency_key: Option<IdempotencyKey>,
    tenant: TenantId,
    timestamp: Option<Timestamp>,
    not_before: Option<Timestamp>,
}

impl NewEvent {
    /// An event of type `event_type` whose `data` is the JSON text `data`, kept to the letter.
    ///
    /// # Errors
    /// `event` is no event type, or `data` is not exactly one JSON value.
    pub fn new(event_type: &str, data: &str) -> Result<Self, InvalidInput> {
        let event_type =
            event_type.parse().map_err(|error| InvalidInput::new("event", "NTF-EVENT-TYPE", format!("is {error}")))?;
        let data = serde_json::from_str::<Box<RawValue>>(data).map_err(|error| {
            // The parser's own text may quote the payload: only the place is told.
            let place = format!("is not one JSON value (line {}, column {})", error.line(), error.column());
            InvalidInput::new("data", "NTF-EVENT-DATA", place)
        })?;
        Ok(Self::from_parts(event_type, data))
    }

    /// An event of type `event_type` with `data` that was already read as raw JSON.
    ///
    /// # Errors
    /// `event` is no event type.
    pub fn from_raw(event_type: &str, data: Box<RawValue>) -> Result<Self, InvalidInput> {
        let event_type =
            event_type.parse().map_err(|error| InvalidInput::new("event", "NTF-EVENT-TYPE", format!("is {error}")))?;
        Ok(Self::from_parts(event_type, data))
    }

    /// The event that a typed payload describes.
    ///
    /// # Errors
    /// The payload's name is no event type, or it cannot be serialised as JSON.
    pub fn of<P: EventPayload>(payload: &P) -> Result<Self, InvalidInput> {
        let json = serde_json::to_string(payload).map_err(|_| {
            InvalidInput::new("data", "NTF-EVENT-DATA", format!("of {} cannot be serialised as JSON", P::NAME))
        })?;
        Self::new(P::NAME, &json)
    }

    fn from_parts(event_type: EventType, data: Box<RawValue>) -> Self {
        Self {
            event_type,
            data,
            id: None,
            idempotency_key: None,
            tenant: TenantId::default(),
            timestamp: None,
            not_before: None,
        }
    }

    /// Gives the event an id of the host's own instead of `evt_` + xid.
    ///
    /// # Errors
    /// Not 1 to 64 characters of `A-Z a-z 0-9 _ -`.
    pub fn with_id(mut self, id: &str) -> Result<Self, InvalidInput> {
        self.id =
            Some(id.parse().map_err(|error| InvalidInput::new("event_id", "NTF-EVENT-ID", format!("is {error}")))?);
        Ok(self)
    }

    /// Makes a second publish with the same key and content a success that sends nothing.
    ///
    /// # Errors
    /// Not 1 to 256 bytes without control characters.
    pub fn with_idempotency_key(mut self, key: &str) -> Result<Self, InvalidInput> {
        let key = key
            .parse()
            .map_err(|error| InvalidInput::new("idempotency_key", "NTF-EVENT-KEY", format!("is {error}")))?;
        self.idempotency_key = Some(key);
        Ok(self)
    }

    /// Publishes for this tenant instead of the default one.
    #[must_use]
    pub fn for_tenant(mut self, tenant: TenantId) -> Self {
        self.tenant = tenant;
        self
    }

    /// Says when it happened; without it, the time of the publish.
    #[must_use]
    pub const fn at(mut self, timestamp: Timestamp) -> Self {
        self.timestamp = Some(timestamp);
        self
    }

    /// Makes the first attempt due no earlier than `time`.
    #[must_use]
    pub const fn not_before(mut self, time: Timestamp) -> Self {
        self.not_before = Some(time);
        self
    }

    /// Its type.
    #[must_use]
    pub const fn event_type(&self) -> &EventType {
        &self.event_type
    }

    /// Whose it is.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The host's own id, if it gave one.
    #[must_use]
    pub const fn id(&self) -> Option<&EventId> {
        self.id.as_ref()
    }

    /// The key, if the host gave one.
    #[must_use]
    pub const fn idempotency_key(&self) -> Option<&IdempotencyKey> {
        self.idempotency_key.as_ref()
    }

    /// When the first attempt is due, for a publish at `now`.
    #[must_use]
    pub fn due_at(&self, now: Timestamp) -> Timestamp {
        self.not_before.map_or(now, |time| time.max(now))
    }

    /// How many bytes of JSON `data` has.
    #[must_use]
    pub fn data_len(&self) -> usize {
        self.data.get().len()
    }

    /// The content's digest.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let mut hash = Sha256::new();
        for part in [self.tenant.as_str(), self.event_type.as_str(), self.data.get()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        if let Some(timestamp) = self.timestamp {
            hash.update(timestamp.as_millis().to_be_bytes());
        }
        hash.finalize().into()
    }

    /// The event itself, with `id` and `now` where the host gave none. Builds the envelope: once.
    #[must_use]
    pub fn build(&self, id: EventId, now: Timestamp) -> Event {
        let timestamp = self.timestamp.unwrap_or(now);
        Event {
            body: envelope(&id, &self.event_type, timestamp, &self.data),
            key: EventKey { tenant: self.tenant.clone(), id },
            event_type: self.event_type.clone(),
            timestamp,
        }
    }
}

impl fmt::Debug for NewEvent {
    /// Without `data`: payloads stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewEvent")
            .field("event_type", &self.event_type)
            .field("data_bytes", &self.data_len())
            .field("id", &self.id)
            .field("idempotency_key", &self.idempotency_key)
            .field("tenant", &self.tenant)
            .field("timestamp", &self.timestamp)
            .field("not_before", &self.not_before)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_that_is_no_single_json_value_is_refused_without_being_quoted() {
        for bad in ["", "{", "{\"canary\":}", "1 2", "nul", "{'a':1}", "\u{feff}{}", "[1,]", "\"a\nb\""] {
            let error = NewEvent::new("a.b", bad).unwrap_err();
            assert_eq!(error.field(), "data", "{bad:?}");
            assert!(!error.to_string().contains("canary"));
        }
    }

    #[test]
    fn a_field_is_named_in_each_refusal() {
        assert_eq!(NewEvent::new("created", "1").unwrap_err().field(), "event");
        let event = NewEvent::new("a.b", "1").unwrap();
        assert_eq!(event.clone().with_id("a b").unwrap_err().field(), "event_id");
        assert_eq!(event.with_idempotency_key("").unwrap_err().field(), "idempotency_key");
    }

    #[test]
    fn the_fingerprint_covers_tenant_type_data_and_a_given_timestamp() {
        let base = NewEvent::new("a.b", "{\"n\":1}").unwrap();
        let others = [
            NewEvent::new("a.b", "{\"n\":1.0}").unwrap(),
            NewEvent::new("a.c", "{\"n\":1}").unwrap(),
            base.clone().for_tenant("t".parse().unwrap()),
            base.clone().at(Timestamp::EPOCH),
            base.clone().at(Timestamp::from_millis(1)),
        ];
        let mut prints: Vec<_> = others.iter().chain([&base]).map(NewEvent::fingerprint).collect();
        prints.sort_unstable();
        prints.dedup();
        assert_eq!(prints.len(), 6);
        assert_eq!(base.clone().with_id("x").unwrap().fingerprint(), base.fingerprint());
    }

    #[test]
    fn a_body_over_the_wire_has_the_event_s_own_time() {
        let event = NewEvent::new("a.b", "1").unwrap().at(Timestamp::EPOCH).build("e".parse().unwrap(), Timestamp::MAX);
        assert!(std::str::from_utf8(&event.body).unwrap().contains("1970-01-01T00:00:00.000Z"));
    }
}
