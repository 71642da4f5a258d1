//! One connection, plain or TLS, as hyper wants to see it.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use notify_core::delivery::{ConnectionUse, Timing, TlsVersion};
use rustls::ProtocolVersion;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;

use crate::allowance::Allowance;
use crate::failure;
use crate::progress::Progress;
use crate::socket::Socket;

/// What is known of a connection: travels with each response that came over it.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionInfo {
    /// The address at its other end.
    pub(crate) peer: IpAddr,
    /// When it was made.
    pub(crate) since: Instant,
    /// What may still come over it, and what broke it.
    pub(crate) allowance: Arc<Allowance>,
    /// Who goes down with it.
    pub(crate) carries: Carries,
    /// By which version of TLS it speaks, if by any.
    tls: Option<TlsVersion>,
    /// The attempt that made it. Most often another one uses it: no more of it is kept than its place in memory, which
    /// tells it from all others.
    maker: Weak<Progress>,
}

/// How many attempts a connection has at a time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Carries {
    /// HTTP/1.1.
    One,
    /// HTTP/2.
    Many,
}

impl ConnectionInfo {
    /// A connection made now, by `maker`.
    pub(crate) fn new(peer: IpAddr, allowance: Arc<Allowance>, maker: &Arc<Progress>) -> Self {
        let maker = Arc::downgrade(maker);
        Self { peer, since: Instant::now(), allowance, carries: Carries::One, tls: None, maker }
    }

    /// Where the time of `attempt` went until it had this connection.
    pub(crate) fn timing(&self, attempt: &Arc<Progress>) -> Timing {
        let is_its_own = std::ptr::eq(self.maker.as_ptr(), Arc::as_ptr(attempt));
        let timing = if is_its_own { attempt.timing() } else { Timing::new(ConnectionUse::Reused) };
        self.tls.map_or(timing, |version| timing.with_tls(version))
    }
}

/// A connection whose peer was judged.
#[derive(Debug)]
pub(crate) struct Stream {
    io: Io,
    info: ConnectionInfo,
}

#[derive(Debug)]
enum Io {
    Plain(TokioIo<Socket>),
    Tls(Box<TokioIo<TlsStream<Socket>>>),
}

impl Stream {
    pub(crate) fn plain(socket: Socket, info: ConnectionInfo) -> Self {
        Self { io: Io::Plain(TokioIo::new(socket)), info }
    }

    pub(crate) fn tls(tls: TlsStream<Socket>, mut info: ConnectionInfo) -> Self {
        let session = tls.get_ref().1;
        if session.alpn_protocol() == Some(b"h2") {
            info.carries = Carries::Many;
        }
        info.tls = match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => Some(TlsVersion::V1_2),
            Some(ProtocolVersion::TLSv1_3) => Some(TlsVersion::V1_3),
            // There is no other in rustls.
            _ => None,
        };
        Self { io: Io::Tls(Box::new(TokioIo::new(tls))), info }
    }

    /// Keeps a fault of TLS after the handshake, such as a refused client certificate.
    fn note<T>(&self, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &done
            && let Some(fault) = failure::of_tls(error)
        {
            self.info.allowance.note_fault(fault);
        }
        done
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        let connected = Connected::new().extra(self.info.clone());
        match self.info.carries {
            Carries::One => connected,
            Carries::Many => connected.negotiated_h2(),
        }
    }
}

impl Read for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let read = match &mut this.io {
            Io::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Io::Tls(tls) => Pin::new(tls.as_mut()).poll_read(cx, buf),
        };
        this.note(read)
    }
}

impl Write for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().io {
            Io::Plain(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Io::Tls(tls) => Pin::new(tls.as_mut()).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().io {
            Io::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Io::Tls(tls) => Pin::new(tls.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().io {
            Io::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Io::Tls(tls) => Pin::new(tls.as_mut()).poll_shutdown(cx),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.io {
            Io::Plain(tcp) => tcp.is_write_vectored(),
            Io::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().io {
            Io::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, bufs),
            Io::Tls(tls) => Pin::new(tls.as_mut()).poll_write_vectored(cx, bufs),
        }
    }
}
