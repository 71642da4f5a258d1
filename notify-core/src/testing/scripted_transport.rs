//! A transport that answers from a script and records what it was given.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::watch;

use crate::delivery::Reason;
use crate::input::InvalidInput;
use crate::sign::Header;
use crate::transport::{Request, Response, SendFailure, Transport};

use super::ManualClock;
use super::pace::Pace;

/// One scripted answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Reply {
    /// This status, with an empty body.
    Status(u16),
    /// This answer.
    Response(Response),
    /// No answer, for this reason.
    Failure(Reason),
    /// No answer until the attempt's deadline. It passes on the transport's clock
    /// ([`with_clock`](ScriptedTransport::with_clock)); without one it is over at once.
    Timeout,
    /// Never an answer.
    Hang,
    /// The transport panics.
    Panic,
}

/// One request as it was made. `Debug` shows neither header values nor the body.
#[derive(Clone)]
pub struct SentRequest {
    /// Where to.
    pub url: Arc<str>,
    /// With these headers.
    pub headers: Vec<Header>,
    /// With this body.
    pub body: Bytes,
}

impl SentRequest {
    /// The value of the header `name`, if there is exactly one.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|header| header.name == name);
        found.next().filter(|_| found.next().is_none()).map(|header| header.value.as_str())
    }
}

impl fmt::Debug for SentRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentRequest")
            .field("url", &self.url)
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// Answers each request from the script of its URL, in order, and then with the usual answer. Refuses no URL but
/// those that begin with `refused:`. Clones are the same transport.
#[derive(Clone, Debug)]
pub struct ScriptedTransport {
    inner: Arc<Inner>,
    pace: Option<Pace>,
}

#[derive(Debug)]
struct Inner {
    /// For URLs that have none of their own; `None` = a request without a script is a fault of the test.
    usual: Option<Reply>,
    scripts: Mutex<BTreeMap<String, Script>>,
    sent: Mutex<Vec<SentRequest>>,
    unscripted: Mutex<Vec<SentRequest>>,
    count: watch::Sender<usize>,
}

/// One URL's answers.
#[derive(Debug, Default)]
struct Script {
    next: VecDeque<Reply>,
    usual: Option<Reply>,
}

impl ScriptedTransport {
    /// A transport that gives the answer `usual` wherever no script says otherwise.
    #[must_use]
    pub fn new(usual: Reply) -> Self {
        Self::with_usual(Some(usual))
    }

    /// A transport that has no answer but the scripted ones. Another request fails with [`Reason::Local`], and is
    /// kept for [`take_unscripted`](Self::take_unscripted).
    #[must_use]
    pub fn strict() -> Self {
        Self::with_usual(None)
    }

    fn with_usual(usual: Option<Reply>) -> Self {
        let (scripts, sent, unscripted) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { inner: Arc::new(Inner { usual, scripts, sent, unscripted, count: watch::Sender::new(0) }), pace: None }
    }

    /// A [`Reply::Timeout`] takes its time on this clock: it moves once all else that can happen has happened.
    #[must_use]
    pub fn with_clock(self, clock: &ManualClock) -> Self {
        self.with_pace(Pace::new(clock.clone()))
    }

    pub(super) fn with_pace(mut self, pace: Pace) -> Self {
        self.pace = Some(pace);
        self
    }

    /// The next answers of `url`, after those it has already.
    pub fn respond(&self, url: &str, replies: impl IntoIterator<Item = Reply>) {
        lock(&self.inner.scripts).entry(url.to_owned()).or_default().next.extend(replies);
    }

    /// The usual answer of `url` from now on, once its other answers are used up.
    pub fn respond_always(&self, url: &str, reply: Reply) {
        lock(&self.inner.scripts).entry(url.to_owned()).or_default().usual = Some(reply);
    }

    /// The requests that had no scripted answer, in order, since the last call.
    #[must_use]
    pub fn take_unscripted(&self) -> Vec<SentRequest> {
        std::mem::take(&mut lock(&self.inner.unscripted))
    }

    /// All requests so far, in order.
    #[must_use]
    pub fn sent(&self) -> Vec<SentRequest> {
        lock(&self.inner.sent).clone()
    }

    /// The requests to `url` so far.
    #[must_use]
    pub fn sent_to(&self, url: &str) -> Vec<SentRequest> {
        self.sent().into_iter().filter(|request| &*request.url == url).collect()
    }

    /// Returns once `count` requests have been made in all.
    pub async fn wait_for(&self, count: usize) {
        let _ = self.inner.count.subscribe().wait_for(|made| *made >= count).await;
    }
}

#[async_trait]
impl Transport for ScriptedTransport {
    fn check(&self, url: &str) -> Result<(), InvalidInput> {
        if url.starts_with("refused:") {
            return Err(InvalidInput::new("url", "NTF-URL-REFUSED", "is refused by the script"));
        }
        Ok(())
    }

    async fn send(&self, request: Request) -> Result<Response, SendFailure> {
        let reply = self.inner.reply_for(&request.url);
        let Request { url, headers, body, timeout, .. } = request;
        let sent = SentRequest { url, headers, body };
        if reply.is_none() {
            lock(&self.inner.unscripted).push(sent.clone());
        }
        lock(&self.inner.sent).push(sent);
        self.inner.count.send_modify(|count| *count += 1);
        let Some(reply) = reply else { return Err(SendFailure::new(Reason::Local, "unscripted request")) };
        match reply {
            Reply::Status(status) => Ok(Response::new(status)),
            Reply::Response(response) => Ok(response),
            Reply::Failure(reason) => Err(SendFailure::new(reason, "scripted")),
            Reply::Timeout => {
                if let Some(pace) = &self.pace {
                    pace.pass(timeout).await;
                }
                Err(SendFailure::new(Reason::ResponseTimeout, "scripted"))
            }
            Reply::Hang => std::future::pending().await,
            Reply::Panic => std::panic::panic_any("scripted panic"),
        }
    }
}

impl Inner {
    fn reply_for(&self, url: &str) -> Option<Reply> {
        let mut scripts = lock(&self.scripts);
        let script = scripts.get_mut(url);
        script
            .and_then(|script| script.next.pop_front().or_else(|| script.usual.clone()))
            .or_else(|| self.usual.clone())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
