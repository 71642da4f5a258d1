//! Typed events: the two that are built in, and the trait for the host's own.

use serde::{Deserialize, Serialize};

/// A payload that knows its event type.
///
/// ```
/// use notify_core::EventPayload;
///
/// #[derive(serde::Serialize)]
/// struct InvoicePaid { invoice_id: String, cents: u64 }
///
/// impl EventPayload for InvoicePaid {
///     const NAME: &'static str = "invoice.paid";
///     fn example() -> Self {
///         Self { invoice_id: "inv_1".into(), cents: 1250 }
///     }
/// }
/// ```
pub trait EventPayload: Serialize {
    /// The event type, such as `invoice.paid`. The builder refuses a malformed one.
    const NAME: &'static str;

    /// A payload to show in the catalogue and to send as a test.
    fn example() -> Self;
}

/// `connection.created`
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ConnectionCreated {
    /// Which connection.
    pub connection_id: String,
    /// Whose, if it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user_id: Option<String>,
    /// Its status, if it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<String>,
}

impl EventPayload for ConnectionCreated {
    const NAME: &'static str = "connection.created";

    fn example() -> Self {
        Self { connection_id: "con_ck76b3r3c68otqfg5c3g".into(), user_id: None, status: None }
    }
}

/// `connection.updated`
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ConnectionUpdated {
    /// Whose connection.
    pub user_id: String,
    /// Its new status, such as `paused`.
    pub status: String,
    /// Which connection.
    pub connection_id: String,
}

impl EventPayload for ConnectionUpdated {
    const NAME: &'static str = "connection.updated";

    fn example() -> Self {
        Self {
            user_id: "your-users-id".into(),
            status: "paused".into(),
            connection_id: "con_ck76b3r3c68otqfg5c3g".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::NewEvent;

    #[test]
    fn the_examples_are_the_product_guides_events() {
        let created = NewEvent::of(&ConnectionCreated::example()).unwrap();
        assert_eq!(created.event_type().as_str(), "connection.created");
        assert_eq!(
            serde_json::to_string(&ConnectionUpdated::example()).unwrap(),
            r#"{"user_id":"your-users-id","status":"paused","connection_id":"con_ck76b3r3c68otqfg5c3g"}"#
        );
    }
}
