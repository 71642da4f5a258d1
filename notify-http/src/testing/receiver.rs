//! A receiver that does everything right, and remembers it.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use notify_core::sign::{
    NOTIFY_SIGNATURE, StandardHeaders, VerifyError, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP,
};
use notify_core::{Secret, Timestamp, Verifier};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use super::received::{ReceivedRequest, SignatureCheck};

/// A receiver on loopback, over plain HTTP: it reads requests, verifies their signatures with the real
/// [`Verifier`], answers, and records. It stops when dropped. Open loopback for it:
/// [`allow_cidr("127.0.0.0/8")`](crate::HttpTransportBuilder::allow_cidr).
///
/// It answers 200; 401 to a request whose signature is wrong, once it [knows a secret](Self::trust); what it was
/// [told to](Self::respond), in turn.
///
/// ```
/// # use std::time::Duration;
/// # use bytes::Bytes;
/// # use notify_core::sign::{Header, NOTIFY_SIGNATURE, notify_signature};
/// # use notify_core::transport::{Request, Transport};
/// use notify_core::Secret;
/// use notify_http::testing::{SignatureCheck, TestReceiver};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let receiver = TestReceiver::start().await?;
/// let secret = Secret::new("correct horse battery staple")?; // the one that `create` showed
/// receiver.trust([secret.clone()]);
/// receiver.respond([503]);
/// # let transport = notify_http::HttpTransport::builder().allow_cidr("127.0.0.0/8").build()?;
/// # for expected in [503, 200] {
/// #     let header = Header::new(NOTIFY_SIGNATURE, notify_signature(&secret, b"{}"));
/// #     let request = Request::new(receiver.url().into(), vec![header], "{}".into(), Duration::from_secs(9));
/// #     assert_eq!(transport.send(request).await?.status, expected);
/// # }
/// // … the host's code publishes to an endpoint at `receiver.url()`, whose first attempt is answered 503 …
/// receiver.wait_for(2).await;
/// assert!(receiver.requests().iter().all(|request| request.signature == SignatureCheck::Verified));
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct TestReceiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: AbortHandle,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    count: watch::Sender<usize>,
}

#[derive(Debug)]
struct State {
    verifier: Option<Verifier>,
    statuses: VecDeque<u16>,
    requests: Vec<ReceivedRequest>,
}

impl TestReceiver {
    /// Listens at a free port of 127.0.0.1.
    ///
    /// # Errors
    /// There is none.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = State { verifier: None, statuses: VecDeque::new(), requests: Vec::new() };
        let shared = Arc::new(Shared { state: Mutex::new(state), count: watch::Sender::new(0) });
        let serving = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            // Its connections end with it.
            let mut connections = JoinSet::new();
            while let Ok((tcp, _)) = listener.accept().await {
                let serving = Arc::clone(&serving);
                connections.spawn(async move { serving.serve(tcp).await });
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, shared, task: task.abort_handle() })
    }

    /// Where it listens: `http://127.0.0.1:PORT/hook`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Checks the signatures of the requests that come from now on, by any of these secrets.
    pub fn trust(&self, secrets: impl IntoIterator<Item = Secret>) {
        // A host's test may move its clock by days: the time is judged by what the request says, not by today.
        self.lock().verifier = Some(Verifier::new(secrets).tolerance(Duration::MAX));
    }

    /// Also refuses requests whose `webhook-timestamp` is more than `tolerance` from the system's clock. For tests
    /// that leave the clock alone; call it after [`trust`](Self::trust).
    pub fn require_fresh(&self, tolerance: Duration) {
        let mut state = self.lock();
        state.verifier = state.verifier.take().map(|verifier| verifier.tolerance(tolerance));
    }

    /// Answers the next requests with these statuses, after those it has already.
    pub fn respond(&self, statuses: impl IntoIterator<Item = u16>) {
        self.lock().statuses.extend(statuses);
    }

    /// All requests so far, in the order of their arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.lock().requests.clone()
    }

    /// Returns once `count` requests have come in all.
    ///
    /// # Cancel safety
    /// Changes nothing.
    pub async fn wait_for(&self, count: usize) {
        // The sender lives as long as `self`.
        let _ = self.shared.count.subscribe().wait_for(|come| *come >= count).await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.lock()
    }
}

impl Drop for TestReceiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(&self, mut tcp: TcpStream) -> io::Result<()> {
        while let Some(request) = ReceivedRequest::read(&mut tcp).await? {
            let status = self.record(request);
            tcp.write_all(format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n").as_bytes()).await?;
        }
        Ok(())
    }

    /// Keeps the request, and says what it is answered.
    fn record(&self, mut request: ReceivedRequest) -> u16 {
        let mut state = self.lock();
        if let Some(verifier) = &state.verifier {
            request.signature = match check(verifier, &request) {
                Ok(()) => SignatureCheck::Verified,
                Err(error) => SignatureCheck::Refused(error),
            };
        }
        let usual = if matches!(request.signature, SignatureCheck::Refused(_)) { 401 } else { 200 };
        let status = state.statuses.pop_front().unwrap_or(usual);
        state.requests.push(request);
        let come = state.requests.len();
        drop(state);
        self.count.send_replace(come);
        status
    }
}

fn check(verifier: &Verifier, request: &ReceivedRequest) -> Result<(), VerifyError> {
    let only = |header| request.header(header).ok_or(VerifyError::Malformed { header });
    verifier.verify(&request.body, only(NOTIFY_SIGNATURE)?)?;
    if request.lines(WEBHOOK_SIGNATURE).is_empty() {
        return Ok(());
    }
    let headers = StandardHeaders {
        id: only(WEBHOOK_ID)?,
        timestamp: only(WEBHOOK_TIMESTAMP)?,
        signature: only(WEBHOOK_SIGNATURE)?,
    };
    verifier.verify_standard(&request.body, headers, Timestamp::from(SystemTime::now()))
}
