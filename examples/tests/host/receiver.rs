//! A receiver on a raw socket: it keeps the bytes as they came, and answers as it is told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use notify_core::{Secret, Verifier};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// What to answer.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// This status and body, after so long.
    After(Duration, u16, Vec<u8>),
    /// No answer as long as the sender waits.
    Never,
}

/// A receiver; it stops with the test's runtime.
#[derive(Clone, Debug)]
pub(crate) struct Receiver {
    pub(crate) port: u16,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    received: Mutex<Vec<Received>>,
    reply: Mutex<Reply>,
    open: AtomicUsize,
    changed: Notify,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let value = values.next();
        assert!(values.next().is_none(), "{name} came twice");
        value
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn event_id(&self) -> String {
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        body["event_id"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn verify(&self, secret: &str) {
        let signature = self.header("x-notify-signature").expect("it is signed");
        Verifier::new([Secret::new(secret).unwrap()]).verify(&self.body, signature).unwrap();
    }
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self::After(Duration::ZERO, status, Vec::new())
    }
}

impl Receiver {
    pub(crate) async fn start(reply: Reply) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            received: Mutex::default(),
            reply: Mutex::new(reply),
            open: AtomicUsize::new(0),
            changed: Notify::new(),
        });
        let receiver = Self { port, state: Arc::clone(&state) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&state)));
            }
        });
        receiver
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    pub(crate) fn answer(&self, reply: Reply) {
        *self.state.reply.lock().unwrap() = reply;
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap().clone()
    }

    /// How often each event came.
    pub(crate) fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for received in self.received() {
            *counts.entry(received.event_id()).or_default() += 1;
        }
        counts
    }

    pub(crate) fn events(&self) -> BTreeSet<String> {
        self.counts().into_keys().collect()
    }

    /// Requests that came whole and have no answer yet.
    pub(crate) fn open(&self) -> usize {
        self.state.open.load(Ordering::SeqCst)
    }

    /// Waits until `enough` holds; asked anew after every request.
    pub(crate) async fn wait_until(&self, what: &str, limit: Duration, enough: impl Fn(&Self) -> bool) {
        let wait = async {
            loop {
                let changed = self.state.changed.notified();
                if enough(self) {
                    return;
                }
                changed.await;
            }
        };
        if tokio::time::timeout(limit, wait).await.is_err() {
            panic!("not within {limit:?}: {what}; received {}, open {}", self.received().len(), self.open());
        }
    }

    pub(crate) async fn wait_for(&self, requests: usize) -> Vec<Received> {
        let what = format!("{requests} requests");
        self.wait_until(&what, Duration::from_secs(20), |receiver| receiver.received().len() >= requests).await;
        self.received()
    }
}

async fn serve(mut stream: TcpStream, state: Arc<State>) {
    let mut buffer = Vec::new();
    while let Some(received) = read(&mut stream, &mut buffer).await {
        state.open.fetch_add(1, Ordering::SeqCst);
        state.received.lock().unwrap().push(received);
        state.changed.notify_waiters();
        let reply = state.reply.lock().unwrap().clone();
        let answered = answer(&mut stream, reply).await;
        state.open.fetch_sub(1, Ordering::SeqCst);
        state.changed.notify_waiters();
        if answered.is_none() {
            return;
        }
    }
}

async fn answer(stream: &mut TcpStream, reply: Reply) -> Option<()> {
    let Reply::After(pause, status, body) = reply else {
        // The sender's end of the wait is the end of the connection.
        let _ = stream.read(&mut [0]).await;
        return None;
    };
    tokio::time::sleep(pause).await;
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(&body).await.ok()
}

async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Received> {
    loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(buffer[..end].to_vec()).unwrap();
            let mut lines = head.split("\r\n");
            let target = lines.next()?.split(' ').nth(1)?.to_owned();
            let headers: Vec<(String, String)> = lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            let length = headers.iter().find(|(name, _)| name == "content-length")?.1.parse::<usize>().unwrap();
            let whole = end + 4 + length;
            if buffer.len() >= whole {
                let body = buffer[end + 4..whole].to_vec();
                buffer.drain(..whole);
                return Some(Received { target, headers, body });
            }
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}
