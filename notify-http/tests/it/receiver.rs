//! Scripted receivers, and short ways to ask one.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use notify_core::delivery::{Response, SendFailure};
use notify_core::sign::Header;
use notify_core::transport::{Request, Transport};
use notify_http::testing::ReceivedRequest;
use notify_http::{HttpTransport, HttpTransportBuilder, Resolve};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// What a receiver does with a request that it has read.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Writes these bytes and waits for the next request.
    Write(Vec<u8>),
    /// Writes these bytes and closes.
    WriteThenClose(Vec<u8>),
    /// Writes these bytes, then nothing more, and keeps the connection open.
    WriteThenStall(Vec<u8>),
    /// Writes the first bytes, then the second again and again.
    WriteEndlessly(Vec<u8>, Vec<u8>),
    /// Writes these bytes one by one, with a pause after each.
    Drip(Vec<u8>, Duration),
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self::Write(format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n").into_bytes())
    }

    pub(crate) fn stall() -> Self {
        Self::WriteThenStall(Vec::new())
    }

    pub(crate) fn close() -> Self {
        Self::WriteThenClose(Vec::new())
    }
}

/// A receiver on loopback; it stops when dropped.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<ReceivedRequest>>>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Receiver {
    /// Answers every request alike.
    pub(crate) async fn always(answer: Answer) -> Self {
        Self::scripted(move |_| answer.clone()).await
    }

    /// Answers the nth request, from 0, as `script` says.
    pub(crate) async fn scripted(script: impl Fn(usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::start("127.0.0.1:0".parse().unwrap(), None, script).await
    }

    pub(crate) async fn tls(config: rustls::ServerConfig, answer: Answer) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Self::start("127.0.0.1:0".parse().unwrap(), Some(acceptor), move |_| answer.clone()).await
    }

    pub(crate) async fn start(
        address: SocketAddr,
        acceptor: Option<TlsAcceptor>,
        script: impl Fn(usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (requests, connections) = (Arc::<Mutex<Vec<ReceivedRequest>>>::default(), Arc::new(AtomicUsize::new(0)));
        let (log, count, script) = (Arc::clone(&requests), Arc::clone(&connections), Arc::new(script));
        let task = tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let (log, script, acceptor) = (Arc::clone(&log), Arc::clone(&script), acceptor.clone());
                tokio::spawn(async move {
                    let _ = match acceptor {
                        None => converse(tcp, &log, &*script).await,
                        Some(acceptor) => match acceptor.accept(tcp).await {
                            Ok(tls) => converse(tls, &log, &*script).await,
                            Err(error) => Err(error),
                        },
                    };
                });
            }
        });
        Self { address, requests, connections, task }
    }

    pub(crate) fn url(&self, tail: &str) -> String {
        format!("http://{}{tail}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<ReceivedRequest> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    log: &Mutex<Vec<ReceivedRequest>>,
    script: &(impl Fn(usize) -> Answer + Sync),
) -> io::Result<()> {
    while let Some(captured) = ReceivedRequest::read(&mut stream).await? {
        let nth = {
            let mut log = log.lock().unwrap();
            log.push(captured);
            log.len() - 1
        };
        match script(nth) {
            Answer::Write(bytes) => stream.write_all(&bytes).await?,
            Answer::WriteThenClose(bytes) => {
                stream.write_all(&bytes).await?;
                return stream.shutdown().await;
            }
            Answer::WriteThenStall(bytes) => {
                stream.write_all(&bytes).await?;
                stream.flush().await?;
                return std::future::pending().await;
            }
            Answer::WriteEndlessly(first, again) => {
                stream.write_all(&first).await?;
                loop {
                    stream.write_all(&again).await?;
                }
            }
            Answer::Drip(bytes, pause) => {
                for byte in bytes {
                    stream.write_all(&[byte]).await?;
                    tokio::time::sleep(pause).await;
                }
            }
        }
        stream.flush().await?;
    }
    Ok(())
}

/// A listener that hands each accepted connection to `serve`, for receivers that speak no HTTP.
pub(crate) async fn raw<F: Future<Output = ()> + Send>(
    serve: impl Fn(TcpStream) -> F + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            serve(tcp).await;
        }
    });
    address
}

/// Names with the answers of their next look-ups; the last one stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    answers: Arc<Mutex<VecDeque<Vec<IpAddr>>>>,
    lookups: Arc<AtomicUsize>,
}

impl Names {
    pub(crate) fn answering(answers: &[&[&str]]) -> Self {
        let answers = answers.iter().map(|ips| ips.iter().map(|ip| ip.parse().unwrap()).collect()).collect();
        Self { answers: Arc::new(Mutex::new(answers)), lookups: Arc::default() }
    }

    pub(crate) fn lookups(&self) -> usize {
        self.lookups.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Resolve for Names {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        answer.ok_or_else(|| io::Error::other("no such name"))
    }
}

/// A transport that may go to loopback.
pub(crate) fn loopback() -> HttpTransportBuilder {
    HttpTransport::builder().allow_cidr("127.0.0.0/8").allow_cidr("::1/128")
}

pub(crate) fn request(url: impl Into<Arc<str>>) -> Request {
    let headers = vec![Header::new("x-notify-signature", "ab".repeat(32))];
    Request::new(url.into(), headers, Bytes::from_static(b"{}"), Duration::from_secs(20))
}

pub(crate) fn within(url: impl Into<Arc<str>>, millis: u64) -> Request {
    let mut request = request(url);
    request.timeout = Duration::from_millis(millis);
    request
}

pub(crate) async fn ask(url: String) -> Result<Response, SendFailure> {
    loopback().build().unwrap().send(request(url)).await
}
