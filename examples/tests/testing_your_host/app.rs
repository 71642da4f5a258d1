//! The host: a service that keeps connections, and tells its customers' webhooks about them. It knows an `Engine` and
//! nothing of tests.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Mutex, PoisonError};

use notify_core::{ConnectionCreated, ConnectionUpdated, Engine, NewEndpoint, NewEvent};

/// The service. In production its engine has SQLite and HTTP, and a task polls `run`.
#[derive(Debug)]
pub(crate) struct App {
    notify: Engine,
    /// Who holds which connection.
    holders: Mutex<BTreeMap<String, String>>,
}

impl App {
    pub(crate) fn new(notify: Engine) -> Self {
        Self { notify, holders: Mutex::default() }
    }

    /// A user connects. The same again changes nothing, and tells nobody again.
    pub(crate) async fn connect(&self, id: &str, user: &str) -> Result<(), Box<dyn Error>> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), user.to_owned());
        let payload = ConnectionCreated { connection_id: id.to_owned(), user_id: Some(user.to_owned()), status: None };
        let event = NewEvent::of(&payload)?.with_idempotency_key(&format!("created {id}"))?;
        self.notify.publish_event(event).await?;
        Ok(())
    }

    /// The connection is paused. One that nobody holds is none of ours.
    pub(crate) async fn pause(&self, id: &str) -> Result<(), Box<dyn Error>> {
        let holder = self.holders.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        let Some(user_id) = holder else { return Ok(()) };
        let payload = ConnectionUpdated { user_id, status: "paused".to_owned(), connection_id: id.to_owned() };
        self.notify.publish(&payload).await?;
        Ok(())
    }

    /// A customer wants to hear of what changes, but not of what is new. Returns the secret, once.
    pub(crate) async fn subscribe(&self, url: &str) -> Result<String, Box<dyn Error>> {
        let new = NewEndpoint::new("customer", url).events([<ConnectionUpdated as notify_core::EventPayload>::NAME]);
        Ok(self.notify.endpoints().create(new).await?.secret.expose().to_owned())
    }
}
