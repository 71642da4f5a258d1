//! A receiver that misbehaves in one way.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::authority::TestAuthority;
use super::script::{Leave, Script};
use super::shape::{Shape, Wire};
use super::tls;

/// A receiver on loopback that misbehaves in one [`Shape`], towards everybody. It stops when dropped.
#[derive(Debug)]
pub struct HostileReceiver {
    shape: Shape,
    address: SocketAddr,
    root: Option<TestAuthority>,
    counts: Arc<Counts>,
    task: AbortHandle,
    /// Those that fill the queue of one that never accepts.
    _queue: Vec<TcpStream>,
}

#[derive(Debug, Default)]
struct Counts {
    connections: AtomicUsize,
    requests: AtomicUsize,
}

impl HostileReceiver {
    /// Listens at a free port of 127.0.0.1.
    ///
    /// # Errors
    /// There is no port, or a shape of TLS finds no crypto provider.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn start(shape: Shape) -> io::Result<Self> {
        let mut root = None;
        let mut acceptor = None;
        if matches!(shape.wire(), Wire::Https | Wire::Http2) {
            let authority = TestAuthority::root("the root of a hostile receiver")?;
            let config = tls::config(shape, &Ipv4Addr::LOCALHOST.to_string(), &authority)?;
            acceptor = Some(TlsAcceptor::from(Arc::new(config)));
            root = Some(authority);
        }
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let listener = socket.listen(if shape == Shape::NeverAccept { 1 } else { 1024 })?;
        let address = listener.local_addr()?;
        let counts = Arc::<Counts>::default();
        let mut queue = Vec::new();
        if shape == Shape::NeverAccept {
            queue = fill_queue(address).await?;
        }
        let serving = Arc::clone(&counts);
        let task = tokio::spawn(async move {
            if shape == Shape::NeverAccept {
                let _listener = listener;
                return std::future::pending().await;
            }
            serve(listener, acceptor, shape, serving).await;
        });
        Ok(Self { shape, address, root, counts, task: task.abort_handle(), _queue: queue })
    }

    /// What it does.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// Where it listens: `http://127.0.0.1:PORT/`, or `https` where the shape is one of TLS or HTTP/2.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.shape.wire() == Wire::Http { "http" } else { "https" };
        format!("{scheme}://{}/", self.address)
    }

    /// The root to trust, where the shape is one of TLS: its certificate is then at fault only in the way that the
    /// shape says.
    #[must_use]
    pub fn root_pem(&self) -> Option<&str> {
        self.root.as_ref().map(TestAuthority::pem)
    }

    /// The connections accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::SeqCst)
    }

    /// The requests read so far: whole ones, or begun ones where the shape reads no further.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.counts.requests.load(Ordering::SeqCst)
    }
}

impl Drop for HostileReceiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, acceptor: Option<TlsAcceptor>, shape: Shape, counts: Arc<Counts>) {
    // Its connections end with it.
    let mut connections = JoinSet::new();
    while let Ok((tcp, _)) = listener.accept().await {
        counts.connections.fetch_add(1, Ordering::SeqCst);
        let (counts, acceptor) = (Arc::clone(&counts), acceptor.clone());
        connections.spawn(async move {
            // What the other side breaks is not this one's concern.
            let _ = converse(tcp, acceptor, shape, &counts.requests).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(
    mut tcp: TcpStream,
    acceptor: Option<TlsAcceptor>,
    shape: Shape,
    requests: &AtomicUsize,
) -> io::Result<()> {
    let Some(acceptor) = acceptor else {
        return match Script::play(shape, &mut tcp, requests).await? {
            Leave::Close => tcp.shutdown().await,
            Leave::Drop => Ok(()),
            Leave::Reset => tcp.set_zero_linger(),
        };
    };
    let mut tls = acceptor.accept(tcp).await?;
    match Script::play(shape, &mut tls, requests).await? {
        Leave::Close => tls.shutdown().await,
        Leave::Drop => Ok(()),
        Leave::Reset => tls.get_ref().0.set_zero_linger(),
    }
}

/// Linux drops the first packet of a connection once the queue of those that nobody accepts is full.
async fn fill_queue(address: SocketAddr) -> io::Result<Vec<TcpStream>> {
    const ENOUGH: usize = 64;
    let mut queue = Vec::new();
    while let Ok(tcp) = timeout(Duration::from_millis(100), TcpStream::connect(address)).await {
        queue.push(tcp?);
        if queue.len() == ENOUGH {
            return Err(io::Error::other("the queue of connections does not fill"));
        }
    }
    Ok(queue)
}
