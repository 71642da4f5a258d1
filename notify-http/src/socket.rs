//! The socket of a connection, with what a peer may do to it: send so much, and outlive its attempts for so long.

use std::io::{self, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use notify_core::delivery::{Reason, SendFailure};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::allowance::Allowance;

/// A connection that no attempt waits for is closed after so long. An attempt has its own deadline, and the pool keeps
/// an idle connection for less; this ends what a peer holds on to beside them by reading nothing, or as good as nothing:
/// an early answer's request, the farewell of TLS or HTTP/2. Socket, buffers and bodies would be held for ever.
const OUTLIVES: Duration = Duration::from_secs(30);
/// Read at one go; then those who wait for what was read come first: HTTP/2 keeps a small frame as an object of many
/// times its size until its stream has looked at it.
const BURST: usize = 16 * 1024;

/// A socket in a place among the connections to its host.
#[derive(Debug)]
pub(crate) struct Socket {
    tcp: TcpStream,
    allowance: Arc<Allowance>,
    burst: usize,
    end: Option<Pin<Box<Sleep>>>,
    _place: OwnedSemaphorePermit,
}

impl Socket {
    pub(crate) const fn new(tcp: TcpStream, allowance: Arc<Allowance>, place: OwnedSemaphorePermit) -> Self {
        Self { tcp, allowance, burst: 0, end: None, _place: place }
    }

    /// Writes with `write`.
    fn write(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if self.allowance.is_given_up() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let written = write(Pin::new(&mut self.tcp), cx);
        if written.is_pending() { self.poll_end(cx).map(Err) } else { written }
    }

    /// Reads what is there already, though the runtime has not heard of it. HTTP/1.1 looks at a kept connection before it
    /// writes the next request: an answer sent ahead, if it were read after that, would be taken for the request's own.
    fn read_unheard(&self, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut piece = [0; 512];
        let room = piece.len().min(buf.remaining());
        match (&*SockRef::from(&self.tcp)).read(&mut piece[..room]) {
            Ok(bytes) => {
                buf.put_slice(&piece[..bytes]);
                Poll::Ready(Ok(()))
            }
            // The runtime wakes this task once there is more.
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// The end of a connection that nobody waits for.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let end = || self.allowance.awaited_until() + OUTLIVES;
        let sleep = self.end.get_or_insert_with(|| Box::pin(sleep_until(end())));
        loop {
            ready!(sleep.as_mut().poll(cx));
            if end() <= Instant::now() {
                self.allowance.give_up();
                return Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "nobody waits for this connection"));
            }
            sleep.as_mut().reset(end());
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.burst >= BURST {
            this.burst = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let mut read = Pin::new(&mut this.tcp).poll_read(cx, buf);
        if read.is_pending() {
            read = this.read_unheard(buf);
        }
        if read.is_pending() {
            this.burst = 0;
            return this.poll_end(cx).map(Err);
        }
        ready!(read)?;
        let bytes = buf.filled().len() - before;
        this.burst += bytes;
        if this.allowance.spend(bytes) {
            return Poll::Ready(Ok(()));
        }
        let flood = SendFailure::new(Reason::Protocol, "the peer sent too much that is no answer");
        let error = io::Error::other(flood.clone());
        this.allowance.note_fault(flood);
        Poll::Ready(Err(error))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().write(cx, |tcp, cx| tcp.poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().write(cx, |tcp, cx| tcp.poll_write_vectored(cx, bufs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;
    use tokio::sync::Semaphore;
    use tokio::time::Instant;

    async fn connected() -> (Socket, TcpStream, Arc<Semaphore>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tcp = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (peer, _) = listener.accept().await.unwrap();
        let places = Arc::new(Semaphore::new(1));
        let place = Arc::clone(&places).acquire_owned().await.unwrap();
        (Socket::new(tcp, Arc::new(Allowance::new(1)), place), peer, places)
    }

    /// The farewell to a receiver that never reads held its connection for ever.
    #[tokio::test(start_paused = true)]
    async fn a_write_that_nobody_reads_ends_and_gives_its_place_back() {
        let (mut socket, _peer, places) = connected().await;
        let begun = Instant::now();
        let error = socket.write_all(&vec![0; 64 << 20]).await.unwrap_err();
        assert_eq!((error.kind(), begun.elapsed().as_secs()), (io::ErrorKind::TimedOut, OUTLIVES.as_secs()));
        drop(socket);
        assert_eq!(places.available_permits(), 1);
    }

    #[tokio::test]
    async fn a_peer_is_read_in_bursts_up_to_its_allowance() {
        let (mut socket, mut peer, _) = connected().await;
        let writing = tokio::spawn(async move { peer.write_all(&vec![0; 1 << 20]).await.map(|()| peer) });
        let (mut total, mut burst, mut buffer) = (0, 0, [0; 4096]);
        let error = std::future::poll_fn(|cx| {
            loop {
                let mut read = ReadBuf::new(&mut buffer);
                match Pin::new(&mut socket).poll_read(cx, &mut read) {
                    Poll::Ready(Ok(())) => (total, burst) = (total + read.filled().len(), burst + read.filled().len()),
                    Poll::Ready(Err(error)) => return Poll::Ready(error),
                    Poll::Pending => {
                        assert!(burst < BURST + 4096, "{burst}");
                        burst = 0;
                        return Poll::Pending;
                    }
                }
            }
        })
        .await;
        assert!(error.to_string().contains("too much"), "{error}");
        let allowed = usize::try_from(crate::allowance::PER_ATTEMPT).unwrap();
        assert!((allowed - 4096..=allowed).contains(&total), "{total}");
        drop(socket);
        let _ = writing.await.unwrap();
    }
}
