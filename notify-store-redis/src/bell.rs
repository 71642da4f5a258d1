//! Rings when somebody writes: a subscription to the namespace's channel, on a connection of its own.
//!
//! A hint of a hint: messages may be lost with their connection. Whoever waits reads the counters, and again now and
//! then.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use redis::RedisResult;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::link::Link;

/// After so long without a message the server is asked whether it still hears us: a peer that vanished says nothing.
const SILENCE: Duration = Duration::from_secs(30);

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Whether writes are heard of at present.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Hearing {
    Subscribed,
    Deaf,
}

/// One subscription for all that wait on a store; none before somebody does.
pub(crate) struct Bell {
    link: Arc<Link>,
    channel: String,
    rings: watch::Sender<Hearing>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bell").field("hearing", &*self.rings.borrow()).finish_non_exhaustive()
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        if let Some(task) = self.task.get_mut().unwrap_or_else(PoisonError::into_inner) {
            task.abort();
        }
    }
}

impl Bell {
    pub(crate) fn new(link: Arc<Link>, channel: String) -> Self {
        Self { link, channel, rings: watch::Sender::new(Hearing::Deaf), task: Mutex::new(None) }
    }

    /// What changes with each write, and when the subscription comes or goes. Subscribes if nobody has yet.
    pub(crate) fn listen(&self) -> watch::Receiver<Hearing> {
        let rings = self.rings.subscribe();
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        // It ends with the runtime that it was started on.
        if task.as_ref().is_none_or(JoinHandle::is_finished) {
            self.rings.send_replace(Hearing::Deaf);
            let (link, channel, rings) = (Arc::clone(&self.link), self.channel.clone(), self.rings.clone());
            *task = Some(tokio::spawn(keep_listening(link, channel, rings)));
        }
        rings
    }
}

async fn keep_listening(link: Arc<Link>, channel: String, rings: watch::Sender<Hearing>) {
    let mut pause = FIRST_PAUSE;
    loop {
        // Why it ended does not matter: whoever waits looks at the counters meanwhile, and meets the same error.
        if hear(&link, &channel, &rings).await.is_ok() {
            pause = FIRST_PAUSE;
        }
        rings.send_replace(Hearing::Deaf);
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Rings until the connection is lost.
///
/// # Errors
/// It was never there.
async fn hear(link: &Link, channel: &str, rings: &watch::Sender<Hearing>) -> RedisResult<()> {
    let (mut sink, mut messages) = link.subscribe(channel).await?.split();
    // What was written before it was there is not told: let the counters be read.
    rings.send_replace(Hearing::Subscribed);
    loop {
        match timeout(SILENCE, messages.next()).await {
            Ok(Some(_)) => drop(rings.send_replace(Hearing::Subscribed)),
            Ok(None) => return Ok(()),
            Err(_) => {
                let asked = timeout(link.response_timeout(), sink.ping::<redis::Value>()).await;
                if !matches!(asked, Ok(Ok(_))) {
                    return Ok(());
                }
            }
        }
    }
}
