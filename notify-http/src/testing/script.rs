//! What one connection of a hostile receiver goes through, and the hand that does it.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::sleep;

use super::received::ReceivedRequest;
use super::shape::Shape;
use super::{http1, http2, tls};

/// Between two bytes of one that drips.
const DRIP: Duration = Duration::from_secs(10);

/// First this, then that.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) before: Before,
    pub(super) first: Vec<u8>,
    pub(super) then: Then,
}

/// What comes before the first byte is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Before {
    /// Nothing.
    Nothing,
    /// The first byte of the request.
    FirstByte,
    /// A whole request of HTTP/1.1.
    Request,
    /// A whole request of HTTP/2.
    Http2Request,
}

/// What comes after the first bytes.
#[derive(Clone, Debug)]
pub(super) enum Then {
    /// The next request, from the start.
    Again,
    /// The end.
    Close,
    /// The end, without the farewell of TLS.
    Drop,
    /// A reset.
    Reset,
    /// The end of what is written; what comes is read on.
    HalfClose,
    /// Nothing more, neither read nor written.
    Hold,
    /// One byte read, each ten seconds.
    ReadSlowly,
    /// These bytes, one each ten seconds.
    Drip(Vec<u8>),
    /// These bytes, again and again, while what comes is read.
    Repeat(Vec<u8>),
    /// Nothing more is written; what comes is read on.
    ReadOn,
}

/// How the connection is left.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Leave {
    Close,
    Drop,
    Reset,
}

impl Script {
    /// Once a request was read.
    pub(super) fn answer(first: impl Into<Vec<u8>>, then: Then) -> Self {
        Self { before: Before::Request, first: first.into(), then }
    }

    /// What this shape goes through, where a request came on this stream of HTTP/2. A shape of certificates answers
    /// 200 to whoever takes them.
    fn of(shape: Shape, stream: u32) -> Self {
        http1::script(shape)
            .or_else(|| http2::script(shape, stream))
            .or_else(|| tls::script(shape))
            .unwrap_or_else(|| Self::answer("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", Then::Again))
    }

    /// Plays the shape's script on `stream`, and counts requests.
    pub(super) async fn play<S>(shape: Shape, stream: &mut S, requests: &AtomicUsize) -> io::Result<Leave>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut http2 = http2::Reader::default();
        let mut script = Self::of(shape, http2::FIRST_STREAM);
        loop {
            let came = match script.before {
                Before::Nothing => true,
                Before::FirstByte => stream.read(&mut [0; 1]).await? > 0,
                Before::Request => ReceivedRequest::read(stream).await?.is_some(),
                Before::Http2Request => match http2.read_request(stream).await? {
                    Some(stream) => {
                        script = Self::of(shape, stream);
                        true
                    }
                    None => false,
                },
            };
            if !came {
                return Ok(Leave::Close);
            }
            if script.before != Before::Nothing {
                requests.fetch_add(1, Ordering::SeqCst);
            }
            stream.write_all(&script.first).await?;
            stream.flush().await?;
            match &script.then {
                Then::Again => {}
                Then::Close => return Ok(Leave::Close),
                Then::Drop => return Ok(Leave::Drop),
                Then::Reset => return Ok(Leave::Reset),
                Then::HalfClose => {
                    stream.shutdown().await?;
                    read_on(stream).await?;
                    return Ok(Leave::Drop);
                }
                Then::Hold => return std::future::pending().await,
                Then::ReadSlowly => loop {
                    sleep(DRIP).await;
                    stream.read_exact(&mut [0; 1]).await?;
                },
                Then::Drip(bytes) => {
                    for byte in bytes {
                        stream.write_all(&[*byte]).await?;
                        stream.flush().await?;
                        sleep(DRIP).await;
                    }
                }
                Then::Repeat(bytes) => {
                    let (mut reader, mut writer) = tokio::io::split(stream);
                    let flood = async {
                        while writer.write_all(bytes).await.is_ok() {}
                        Ok(())
                    };
                    tokio::try_join!(flood, read_on(&mut reader))?;
                    return Ok(Leave::Drop);
                }
                Then::ReadOn => {
                    read_on(stream).await?;
                    return Ok(Leave::Drop);
                }
            }
        }
    }
}

async fn read_on(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    tokio::io::copy(stream, &mut tokio::io::sink()).await.map(drop)
}
