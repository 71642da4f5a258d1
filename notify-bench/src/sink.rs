//! The receiver: a process that checks every signature, counts distinct events, and answers 200.

use std::collections::HashSet;
use std::convert::Infallible;
use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::error::BenchError;
use crate::process;
use crate::workload::{self, Signer};

/// What a sink has received since its start.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct SinkCounts {
    /// Distinct event ids.
    pub unique: u64,
    /// Requests whose event id had come before.
    pub duplicates: u64,
    /// Requests whose `x-notify-signature` is wrong or absent; answered 401.
    pub bad_signatures: u64,
    /// Signed bodies that do not begin with an event id; answered 400.
    pub malformed: u64,
    /// The sink's own CPU time in microseconds, user and system.
    pub cpu_us: u64,
}

/// Serves on a free port of 127.0.0.1, whose address it prints, until standard input ends. That end comes with the
/// parent's, however that dies, so a sink never outlives its run.
///
/// `POST` to any path is a delivery. `GET /counts?unique=N` answers the [`SinkCounts`] once there are `N` distinct
/// events.
///
/// # Errors
/// The port cannot be opened.
pub async fn run(secret: &str) -> Result<(), BenchError> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(BenchError::io("cannot open the sink's port"))?;
    let address = listener.local_addr().map_err(BenchError::io("cannot read the sink's address"))?;
    writeln!(std::io::stdout(), "{address}").map_err(BenchError::io("cannot print the sink's address"))?;
    let sink = Arc::new(Sink::new(secret));
    let parent = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    tokio::select! {
        biased;
        _ = parent => Ok(()),
        () = accept(&listener, &sink) => Ok(()),
    }
}

async fn accept(listener: &TcpListener, sink: &Arc<Sink>) {
    loop {
        // A failed accept is the peer's affair; the run fails by itself if deliveries are missing.
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(sink)));
        }
    }
}

async fn serve(stream: TcpStream, sink: Arc<Sink>) {
    // Without it, the last segment of a response would wait for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| answer(Arc::clone(&sink), request));
    // A connection that breaks off is not the sink's failure: senders close theirs when they are done.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(sink: Arc<Sink>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::default());
    if request.method() == Method::GET {
        match wanted(&request) {
            Some(unique) => *response.body_mut() = sink.counts_at(unique).await.into(),
            None => *response.status_mut() = StatusCode::NOT_FOUND,
        }
        return Ok(response);
    }
    let (head, body) = request.into_parts();
    *response.status_mut() = match body.collect().await {
        Ok(body) => {
            let signature = head.headers.get("x-notify-signature").map_or(&b""[..], |value| value.as_bytes());
            sink.receive(&body.to_bytes(), signature)
        }
        Err(_) => StatusCode::BAD_REQUEST,
    };
    Ok(response)
}

fn wanted(request: &Request<Incoming>) -> Option<u64> {
    request.uri().path_and_query()?.as_str().strip_prefix("/counts?unique=")?.parse().ok()
}

#[derive(Debug)]
struct Sink {
    signer: Signer,
    received: Mutex<Received>,
    /// Carries the number of distinct events to those who wait for it.
    unique: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Received {
    ids: HashSet<Box<str>>,
    counts: SinkCounts,
}

impl Sink {
    fn new(secret: &str) -> Self {
        Self { signer: Signer::new(secret), received: Mutex::default(), unique: watch::Sender::new(0) }
    }

    fn receive(&self, body: &[u8], signature: &[u8]) -> StatusCode {
        let verified = self.signer.verifies(body, signature);
        let mut received = self.received();
        if !verified {
            received.counts.bad_signatures += 1;
            return StatusCode::UNAUTHORIZED;
        }
        let Some(id) = workload::event_id(body) else {
            received.counts.malformed += 1;
            return StatusCode::BAD_REQUEST;
        };
        if received.ids.contains(id) {
            received.counts.duplicates += 1;
        } else {
            received.ids.insert(id.into());
            received.counts.unique += 1;
            self.unique.send_replace(received.counts.unique);
        }
        StatusCode::OK
    }

    async fn counts_at(&self, unique: u64) -> Bytes {
        // The sender half is in `self`, so the wait cannot fail before it succeeds.
        let _ = self.unique.subscribe().wait_for(|now| *now >= unique).await;
        let mut counts = self.received().counts;
        counts.cpu_us = process::cpu_time().map_or(0, |time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        serde_json::to_vec(&counts).unwrap_or_default().into()
    }

    fn received(&self) -> MutexGuard<'_, Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(sink: &Sink, body: &str, secret: &str) -> u16 {
        sink.receive(body.as_bytes(), Signer::new(secret).sign(body.as_bytes()).as_bytes()).as_u16()
    }

    #[tokio::test]
    async fn each_request_is_counted_for_what_it_is() {
        let sink = Sink::new("right");
        assert_eq!(send(&sink, &workload::body(1), "right"), 200);
        assert_eq!(send(&sink, &workload::body(1), "right"), 200);
        assert_eq!(send(&sink, &workload::body(2), "right"), 200);
        assert_eq!(send(&sink, &workload::body(3), "wrong"), 401);
        assert_eq!(send(&sink, "{}", "right"), 400);
        let counts: SinkCounts = serde_json::from_slice(&sink.counts_at(2).await).unwrap();
        let SinkCounts { unique, duplicates, bad_signatures, malformed, cpu_us: _ } = counts;
        assert_eq!((unique, duplicates, bad_signatures, malformed), (2, 1, 1, 1));
    }
}
