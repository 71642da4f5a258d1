//! Answers that nobody asked for: sent ahead on a kept connection, to be taken for the next request's.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use notify_core::transport::Transport;
use notify_http::testing::{ReceivedRequest, TestAuthority, Validity};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use crate::receiver::{loopback, raw, request};

const POISON: &[u8] = b"HTTP/1.1 299 Poison\r\ncontent-length: 0\r\n\r\n";

/// Answers the first request of each connection with `answer` and, after `pause`, the poison; every other one with 500.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &[u8], pause: Option<Duration>) {
    let Ok(Some(_)) = ReceivedRequest::read(&mut stream).await else { return };
    match pause {
        None => drop(stream.write_all(&[answer, POISON].concat()).await),
        Some(pause) => {
            let _ = stream.write_all(answer).await;
            let _ = stream.flush().await;
            tokio::time::sleep(pause).await;
            let _ = stream.write_all(POISON).await;
        }
    }
    let _ = stream.flush().await;
    while let Ok(Some(_)) = ReceivedRequest::read(&mut stream).await {
        let _ = stream.write_all(b"HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n").await;
        let _ = stream.flush().await;
    }
}

fn sized(length: usize) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n").into_bytes();
    answer.resize(answer.len() + length, b'x');
    answer
}

fn answers() -> Vec<Vec<u8>> {
    let mut answers: Vec<_> = [0, 1, 8000, 16_000, 16_384].map(sized).into();
    // Heads and bodies that end where a burst of reading does.
    answers.extend((16_384 - 48..16_384 - 36).map(sized));
    answers.push(b"HTTP/1.1 204 X\r\ncontent-length: 5\r\n\r\nhello".to_vec());
    answers.push(b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nx: y\r\n\r\n".to_vec());
    answers.push(b"HTTP/1.1 200 X\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_vec());
    answers.push(b"HTTP/1.1 103 X\r\n\r\nHTTP/1.1 200 X\r\ncontent-length: 0\r\n\r\n".to_vec());
    answers.push(b"HTTP/1.0 200 X\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n".to_vec());
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_sent_ahead_is_never_the_next_attempt_s_over_http1() {
    let root = TestAuthority::root("the root").unwrap();
    let config = root.server("127.0.0.1", Validity::Present).unwrap().into_server_config().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    for answer in answers() {
        for (scheme, pause) in [("http", None), ("http", Some(Duration::from_millis(5))), ("https", None)] {
            let (accepted, bytes, acceptor) = (Arc::<AtomicUsize>::default(), answer.clone(), acceptor.clone());
            let count = Arc::clone(&accepted);
            let address = raw(move |tcp| {
                count.fetch_add(1, Ordering::SeqCst);
                let (bytes, acceptor) = (bytes.clone(), acceptor.clone());
                async move {
                    tokio::spawn(async move {
                        if scheme == "http" {
                            serve(tcp, &bytes, pause).await;
                        } else if let Ok(tls) = acceptor.accept(tcp).await {
                            serve(tls, &bytes, pause).await;
                        }
                    });
                }
            })
            .await;
            let transport = loopback().extra_root_pem(root.pem()).connections_per_host(1).build().unwrap();
            for nth in 0..10 {
                let reply = transport.send(request(format!("{scheme}://{address}/"))).await;
                // It is there, or on its way, before the next request is made.
                if pause.is_some() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                let status = reply.as_ref().map(|response| response.status);
                assert!(status != Ok(299), "{scheme} {nth}: {:?} {pause:?}", String::from_utf8_lossy(&answer[..40]));
            }
            assert!(accepted.load(Ordering::SeqCst) > 1, "nothing was learnt: {answer:?}");
        }
    }
}

/// The head of an answer to a stream that the client has not opened.
#[tokio::test]
async fn an_answer_sent_ahead_is_never_the_next_attempt_s_over_http2() {
    let root = TestAuthority::root("the root").unwrap();
    let mut config = root.server("127.0.0.1", Validity::Present).unwrap().into_server_config().unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let address = raw(move |tcp| {
        let acceptor = acceptor.clone();
        async move {
            tokio::spawn(async move {
                let mut tls = acceptor.accept(tcp).await.unwrap();
                tls.read_exact(&mut [0; 24]).await.unwrap();
                let mut answer = vec![0, 0, 0, 4, 0, 0, 0, 0, 0];
                // HEADERS that end their streams, 1 with 200 and 3 with 204.
                answer.extend([0, 0, 1, 1, 5, 0, 0, 0, 1, 0x88]);
                answer.extend([0, 0, 1, 1, 5, 0, 0, 0, 3, 0x89]);
                let mut frame = [0; 9];
                while tls.read_exact(&mut frame).await.is_ok() {
                    let mut payload = vec![0; usize::from(frame[1]) << 8 | usize::from(frame[2])];
                    tls.read_exact(&mut payload).await.unwrap();
                    // The body of the first stream.
                    if frame[3] == 0 && frame[8] == 1 {
                        tls.write_all(&answer).await.unwrap();
                    }
                }
            });
        }
    })
    .await;
    let transport = loopback().extra_root_pem(root.pem()).build().unwrap();
    for nth in 0..10 {
        let mut asked = request(format!("https://{address}/"));
        asked.timeout = Duration::from_secs(2);
        let reply = transport.send(asked).await;
        assert!(reply.as_ref().map(|response| response.status) != Ok(204), "{nth}: {reply:?}");
    }
}
