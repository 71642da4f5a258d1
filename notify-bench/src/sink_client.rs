//! The sender's side of a sink: starting the process and asking it what it has.

use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use crate::error::BenchError;
use crate::sink::SinkCounts;
use crate::workload;

/// A sink that this process started. Dropping it ends the sink.
#[derive(Debug)]
pub struct SinkProcess {
    child: Child,
    client: SinkClient,
}

impl SinkProcess {
    /// Starts this very program again as a sink, and returns when it listens.
    ///
    /// # Errors
    /// The process cannot be started, or ended before it listened.
    pub async fn start() -> Result<Self, BenchError> {
        let program = std::env::current_exe().map_err(BenchError::io("cannot find this program"))?;
        let mut child = tokio::process::Command::new(program)
            .args(["sink", "--secret", workload::SECRET])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(BenchError::io("cannot start the sink"))?;
        let mut address = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout)
                .read_line(&mut address)
                .await
                .map_err(BenchError::io("cannot read the sink's address"))?;
        }
        if address.is_empty() {
            let status = child.wait().await.map_err(BenchError::io("cannot wait for the sink"))?;
            return Err(BenchError::Child { what: "sink", status: status.to_string() });
        }
        Ok(Self { child, client: SinkClient::new(format!("http://{}", address.trim_end())) })
    }

    /// Where deliveries go.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.client.url
    }

    /// Ends the sink and answers what it received.
    ///
    /// # Errors
    /// The sink refused a request, or has not `expected` distinct events.
    pub async fn finish(mut self, expected: u64) -> Result<SinkCounts, BenchError> {
        let counts = self.client.wait_for(expected).await?;
        drop(self.child.stdin.take());
        self.child.wait().await.map_err(BenchError::io("cannot wait for the sink"))?;
        if counts.bad_signatures + counts.malformed > 0 {
            return Err(BenchError::Refused { bad_signatures: counts.bad_signatures, malformed: counts.malformed });
        }
        Ok(counts)
    }
}

/// Asks a sink for its counts.
#[derive(Clone, Debug)]
pub struct SinkClient {
    url: String,
    http: Client<HttpConnector, Empty<Bytes>>,
}

impl SinkClient {
    /// How long to wait for the last event. Far beyond any run: it is there so that a lost event ends the run.
    pub const PATIENCE: Duration = Duration::from_secs(120);

    /// A client for the sink at `url`, which has no path.
    #[must_use]
    pub fn new(url: String) -> Self {
        Self { url, http: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// Returns as soon as the sink has `unique` distinct events: it is told, it does not poll.
    ///
    /// # Errors
    /// The sink is gone, or has not got them within [`PATIENCE`](Self::PATIENCE).
    ///
    /// # Cancel safety
    /// Nothing is lost: it may be asked again.
    pub async fn wait_for(&self, unique: u64) -> Result<SinkCounts, BenchError> {
        let missing = |_| BenchError::Missing { expected: unique, seconds: Self::PATIENCE.as_secs() };
        tokio::time::timeout(Self::PATIENCE, self.counts_at(unique)).await.map_err(missing)?
    }

    async fn counts_at(&self, unique: u64) -> Result<SinkCounts, BenchError> {
        let uri = format!("{}/counts?unique={unique}", self.url).parse().map_err(BenchError::request)?;
        let response = self.http.get(uri).await.map_err(BenchError::request)?;
        if response.status() != http::StatusCode::OK {
            return Err(BenchError::Status(response.status().as_u16()));
        }
        let body = response.into_body().collect().await.map_err(BenchError::request)?.to_bytes();
        serde_json::from_slice(&body).map_err(BenchError::Json)
    }
}
