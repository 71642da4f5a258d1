//! What is left of an attempt once it has its answer: nothing that a receiver can keep for ever.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use notify_core::transport::Transport;
use notify_http::testing::{TestAuthority, Validity};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::receiver::{loopback, raw, request};

/// A body that counts itself while anybody holds it.
struct Counted(Vec<u8>, Arc<AtomicUsize>);

impl Counted {
    fn body(length: usize, held: &Arc<AtomicUsize>) -> Bytes {
        held.fetch_add(1, Ordering::SeqCst);
        Bytes::from_owner(Self(vec![b'x'; length], Arc::clone(held)))
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Lets the clock run, and everybody have their turn at each step.
async fn pass(seconds: u64) {
    tokio::time::pause();
    for _ in 0..seconds {
        tokio::time::advance(Duration::from_secs(1)).await;
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }
    tokio::time::resume();
}

/// Takes no byte of a body (its window is never opened), and answers 200 all the same.
async fn closed_window(authority: &TestAuthority) -> SocketAddr {
    let mut config = authority.server("127.0.0.1", Validity::Present).unwrap().into_server_config().unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut tls = acceptor.accept(tcp).await?;
                // SETTINGS_INITIAL_WINDOW_SIZE (4) of 0.
                tls.write_all(&[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0]).await?;
                tls.write_all(&[0, 0, 0, 4, 1, 0, 0, 0, 0]).await?;
                tls.read_exact(&mut [0; 24]).await?;
                loop {
                    let mut header = [0; 9];
                    tls.read_exact(&mut header).await?;
                    let length = u32::from_be_bytes([0, header[0], header[1], header[2]]);
                    let mut payload = vec![0; usize::try_from(length).unwrap()];
                    tls.read_exact(&mut payload).await?;
                    if header[3] == 1 {
                        // HEADERS, END_STREAM and END_HEADERS, `:status: 200`.
                        let answer = [&[0, 0, 1, 1, 5], &header[5..9], &[0x88]].concat();
                        tls.write_all(&answer).await?;
                    }
                }
                #[expect(unreachable_code, reason = "names the error")]
                std::io::Result::Ok(())
            });
        }
    });
    address
}

/// A receiver that answers at once and never opens its window kept every body that was ever sent to it, and the
/// connection.
#[tokio::test]
async fn a_body_that_http2_s_window_never_lets_through_is_not_held_for_ever() {
    let authority = TestAuthority::root("the root").unwrap();
    let address = closed_window(&authority).await;
    let held = Arc::<AtomicUsize>::default();
    let transport = loopback().extra_root_pem(authority.pem()).build().unwrap();
    for _ in 0..3 {
        let mut asked = request(format!("https://{address}/"));
        asked.body = Counted::body(200_000, &held);
        assert_eq!(transport.send(asked).await.unwrap().status, 200);
    }
    pass(120).await;
    assert_eq!(held.load(Ordering::SeqCst), 0, "bodies are held");
}

/// A piece now and then was progress enough to hold a request, and its connection, as long as its body lasts.
#[tokio::test]
async fn a_body_that_is_read_piece_by_piece_after_the_answer_is_not_held_for_ever() {
    let address = raw(|mut tcp| async move {
        tokio::spawn(async move {
            tcp.read_exact(&mut [0; 1]).await.unwrap();
            tcp.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            // A window of the kernel's a time, so that the writer sees progress.
            let mut piece = vec![0; 4 << 20];
            while tcp.read_exact(&mut piece).await.is_ok() {
                tokio::time::sleep(Duration::from_secs(10)).await;
            }
        });
    })
    .await;
    let held = Arc::<AtomicUsize>::default();
    let transport = loopback().build().unwrap();
    let mut asked = request(format!("http://{address}/"));
    asked.body = Counted::body(256 << 20, &held);
    assert_eq!(transport.send(asked).await.unwrap().status, 200);
    pass(120).await;
    assert_eq!(held.load(Ordering::SeqCst), 0, "the body is held");
}
