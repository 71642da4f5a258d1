//! Answers that nobody asked for: sent ahead on a kept connection, to be taken for the next request's.

use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use notify_core::transport::Transport;
use notify_http::testing::{ReceivedRequest, TestAuthority, Validity};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use crate::receiver::{loopback, raw, request, within};

const POISON: &[u8] = b"HTTP/1.1 299 Poison\r\ncontent-length: 0\r\n\r\n";

/// Answers the first request of each connection with `answer` and, after `pause`, the poison, and every other one with
/// 500; counts the poisons that are out.
async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: &[u8],
    pause: Option<Duration>,
    poisons: &AtomicUsize,
) -> io::Result<()> {
    if ReceivedRequest::read(&mut stream).await?.is_none() {
        return Ok(());
    }
    match pause {
        None => stream.write_all(&[answer, POISON].concat()).await?,
        Some(pause) => {
            stream.write_all(answer).await?;
            stream.flush().await?;
            tokio::time::sleep(pause).await;
            // The client may have found out and gone.
            let _ = stream.write_all(POISON).await;
        }
    }
    let _ = stream.flush().await;
    poisons.fetch_add(1, Ordering::SeqCst);
    while ReceivedRequest::read(&mut stream).await?.is_some() {
        stream.write_all(b"HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n").await?;
        stream.flush().await?;
    }
    Ok(())
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
            let (poisons, bytes, acceptor) = (Arc::<AtomicUsize>::default(), answer.clone(), acceptor.clone());
            let out = Arc::clone(&poisons);
            let address = raw(move |tcp| {
                let (bytes, acceptor, out) = (bytes.clone(), acceptor.clone(), Arc::clone(&out));
                async move {
                    tokio::spawn(async move {
                        if scheme == "http" {
                            serve(tcp, &bytes, pause, &out).await
                        } else {
                            serve(acceptor.accept(tcp).await?, &bytes, pause, &out).await
                        }
                    });
                }
            })
            .await;
            let transport = loopback().extra_root_pem(root.pem()).connections_per_host(1).build().unwrap();
            let mut answered = 0;
            for nth in 1..=10 {
                let reply = transport.send(request(format!("{scheme}://{address}/"))).await;
                let status = reply.map(|response| response.status);
                assert!(status != Ok(299), "{scheme} {nth}: {:?} {pause:?}", String::from_utf8_lossy(&answer[..40]));
                // An answer that comes after the next request is that request's: nothing tells it from a quick one.
                answered += usize::from(status.is_ok());
                while poisons.load(Ordering::SeqCst) < answered {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
            assert!(answered > 1, "nothing was learnt: {answer:?}");
        }
    }
}

/// One whole request.
fn read_request(stream: &mut impl Read) -> io::Result<()> {
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n{}") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        seen.extend(byte);
    }
    Ok(())
}

/// Answers the first request, and sends the poison once it is told to.
fn poison_when_told(
    mut stream: impl Read + Write,
    wait: &mpsc::Receiver<()>,
    done: &mpsc::Sender<()>,
) -> io::Result<()> {
    read_request(&mut stream)?;
    stream.write_all(&sized(0))?;
    let _ = wait.recv();
    stream.write_all(POISON)?;
    let _ = done.send(());
    // Holds the connection open.
    read_request(&mut stream)
}

/// The poison is there, and the runtime has had no turn to hear of it: its word that there is nothing to read was taken,
/// the next request written, and the poison read as the answer.
#[tokio::test]
async fn an_answer_that_the_runtime_has_not_heard_of_is_not_the_next_attempt_s() {
    let root = TestAuthority::root("the root").unwrap();
    let config = Arc::new(root.server("127.0.0.1", Validity::Present).unwrap().into_server_config().unwrap());
    for scheme in ["http", "https"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{scheme}://{}/", listener.local_addr().unwrap());
        let ((go, wait), (done, hear)) = (mpsc::channel::<()>(), mpsc::channel());
        let session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
        std::thread::spawn(move || {
            let (tcp, _) = listener.accept()?;
            match scheme {
                "http" => poison_when_told(tcp, &wait, &done),
                _ => poison_when_told(rustls::StreamOwned::new(session, tcp), &wait, &done),
            }
        });
        let transport = loopback().extra_root_pem(root.pem()).build().unwrap();
        assert_eq!(transport.send(request(url.as_str())).await.unwrap().status, 200);
        tokio::time::sleep(Duration::from_millis(50)).await;
        go.send(()).unwrap();
        // Blocks the runtime's only thread.
        hear.recv().unwrap();
        let status = transport.send(within(url, 2000)).await.map(|response| response.status);
        assert_ne!(status, Ok(299), "{scheme}");
    }
}

/// The second answer lies in the buffer while the first request is still on its way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_sent_ahead_of_the_first_request_s_end_is_never_the_next_attempt_s() {
    for apart in [Duration::ZERO, Duration::from_millis(20)] {
        let address = raw(move |mut tcp| async move {
            tokio::spawn(async move {
                tcp.read_exact(&mut [0; 1]).await.unwrap();
                tcp.write_all(&sized(0)).await.unwrap();
                tokio::time::sleep(apart).await;
                tcp.write_all(POISON).await.unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
                tokio::io::copy(&mut tcp, &mut tokio::io::sink()).await
            });
        })
        .await;
        let transport = loopback().connections_per_host(1).build().unwrap();
        for nth in 0..5 {
            let mut asked = request(format!("http://{address}/"));
            asked.body = vec![b'x'; 16 << 20].into();
            let reply = transport.send(asked).await;
            assert_eq!(reply.map(|response| response.status).ok(), Some(200), "{nth}, {apart:?}");
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
