//! The ceiling: hyper-util's pooled client, signing each body, with no store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::error::BenchError;
use crate::process;
use crate::report::RunFigures;
use crate::workload::{self, Signer};

/// What the bare client shall do.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct BareJob {
    /// The sink.
    pub url: String,
    /// How many requests are sent before measuring begins, so that all connections are open.
    pub warm_up: u64,
    /// How many requests are measured.
    pub requests: u64,
    /// How many are under way at once.
    pub in_flight: u32,
}

/// Sends `job.requests` signed bodies, and measures this process while it does.
///
/// # Errors
/// A request failed or was not answered 200.
pub async fn run(job: &BareJob) -> Result<RunFigures, BenchError> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let sender = Sender {
        http: Client::builder(TokioExecutor::new()).build(connector),
        signer: Signer::new(workload::SECRET),
        uri: format!("{}/hook", job.url).parse().map_err(BenchError::request)?,
        next: Arc::default(),
    };
    sender.send_until(job.warm_up, job.in_flight).await?;
    let cpu = process::cpu_time()?;
    let start = Instant::now();
    sender.send_until(job.warm_up + job.requests, job.in_flight).await?;
    let elapsed = start.elapsed();
    RunFigures::new(job.requests, elapsed, process::cpu_time()?.saturating_sub(cpu), process::peak_memory()?)
}

#[derive(Clone, Debug)]
struct Sender {
    http: Client<HttpConnector, Full<Bytes>>,
    signer: Signer,
    uri: Uri,
    next: Arc<AtomicU64>,
}

impl Sender {
    /// Sends bodies until `end` have been sent in all, from `in_flight` tasks.
    async fn send_until(&self, end: u64, in_flight: u32) -> Result<(), BenchError> {
        let mut tasks = JoinSet::new();
        for _ in 0..in_flight {
            let sender = self.clone();
            tasks.spawn(async move {
                while let Some(sequence) = sender.take(end) {
                    sender.send(sequence).await?;
                }
                Ok(())
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended.map_err(BenchError::request)??;
        }
        Ok(())
    }

    fn take(&self, end: u64) -> Option<u64> {
        self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| (next < end).then_some(next + 1)).ok()
    }

    async fn send(&self, sequence: u64) -> Result<(), BenchError> {
        let body = workload::body(sequence);
        let request = Request::post(self.uri.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header("x-notify-signature", self.signer.sign(body.as_bytes()))
            .body(Full::new(Bytes::from(body)))
            .map_err(BenchError::request)?;
        let response = self.http.request(request).await.map_err(BenchError::request)?;
        if response.status() != StatusCode::OK {
            return Err(BenchError::Status(response.status().as_u16()));
        }
        // Only a body that was read to its end gives the connection back to the pool.
        response.into_body().collect().await.map_err(BenchError::request)?;
        Ok(())
    }
}
