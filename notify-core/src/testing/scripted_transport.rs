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
pub struct ScriptedTransport(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    usual: Reply,
    scripts: Mutex<BTreeMap<String, VecDeque<Reply>>>,
    sent: Mutex<Vec<SentRequest>>,
    count: watch::Sender<usize>,
}

impl ScriptedTransport {
    /// A transport that gives the answer `usual` wherever no script says otherwise.
    #[must_use]
    pub fn new(usual: Reply) -> Self {
        let (scripts, sent) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { usual, scripts, sent, count: watch::Sender::new(0) }))
    }

    /// The next answers of `url`, after those it has already.
    pub fn respond(&self, url: &str, replies: impl IntoIterator<Item = Reply>) {
        lock(&self.0.scripts).entry(url.to_owned()).or_default().extend(replies);
    }

    /// All requests so far, in order.
    #[must_use]
    pub fn sent(&self) -> Vec<SentRequest> {
        lock(&self.0.sent).clone()
    }

    /// The requests to `url` so far.
    #[must_use]
    pub fn sent_to(&self, url: &str) -> Vec<SentRequest> {
        self.sent().into_iter().filter(|request| &*request.url == url).collect()
    }

    /// Returns once `count` requests have been made in all.
    pub async fn wait_for(&self, count: usize) {
        let _ = self.0.count.subscribe().wait_for(|made| *made >= count).await;
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
        let reply = {
            let mut scripts = lock(&self.0.scripts);
            let scripted = scripts.get_mut(&*request.url).and_then(VecDeque::pop_front);
            scripted.unwrap_or_else(|| self.0.usual.clone())
        };
        let Request { url, headers, body, .. } = request;
        lock(&self.0.sent).push(SentRequest { url, headers, body });
        self.0.count.send_modify(|count| *count += 1);
        match reply {
            Reply::Status(status) => Ok(Response::new(status)),
            Reply::Response(response) => Ok(response),
            Reply::Failure(reason) => Err(SendFailure::new(reason, "scripted")),
            Reply::Hang => std::future::pending().await,
            Reply::Panic => std::panic::panic_any("scripted panic"),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
