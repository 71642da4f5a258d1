//! A request as it came over the wire.

use std::fmt;
use std::io;

use notify_core::sign::VerifyError;
use tokio::io::{AsyncRead, AsyncReadExt};

/// More than any request that notify makes.
const MAX_HEAD: usize = 256 * 1024;
const MAX_BODY: usize = 64 * 1024 * 1024;

/// One request of HTTP/1.1, byte for byte. `Debug` shows neither header values nor the body.
#[derive(Clone)]
#[non_exhaustive]
pub struct ReceivedRequest {
    /// Request line and header lines, up to the blank line.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
    /// What the verifier said of it.
    pub signature: SignatureCheck,
}

/// What became of a request's signature.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SignatureCheck {
    /// The receiver knows no secret.
    Unchecked,
    /// `x-notify-signature` is right, and so are the Standard Webhooks headers if they are there.
    Verified,
    /// One of them is not there, not alone, or wrong.
    Refused(VerifyError),
}

impl ReceivedRequest {
    /// Reads one request with a content length or without a body; `None` once the peer sends no more.
    ///
    /// # Errors
    /// The connection broke, or what came is no such request.
    ///
    /// # Cancel safety
    /// A dropped call has lost what it had read.
    pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if bytes.len() > MAX_HEAD {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the head has no end"));
            }
            if stream.read_buf(&mut bytes).await? == 0 {
                return Ok(None);
            }
        };
        let body = bytes.split_off(end);
        let head =
            String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "the head is no text"))?;
        let mut request = Self { head, body, signature: SignatureCheck::Unchecked };
        let length = request.header("content-length").map_or(Ok(0), str::parse::<usize>);
        let length = length.ok().filter(|length| *length <= MAX_BODY);
        let length = length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the content length is wrong"))?;
        while request.body.len() < length {
            if stream.read_buf(&mut request.body).await? == 0 {
                return Ok(None);
            }
        }
        Ok(Some(request))
    }

    /// The target of the request line, such as `/hook?x=1`.
    #[must_use]
    pub fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// The values of the header `name` (in any case), a line each.
    #[must_use]
    pub fn lines(&self, name: &str) -> Vec<&str> {
        let lines = self.head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
        lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).collect()
    }

    /// The value of the header `name`, if there is exactly one.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        match self.lines(name)[..] {
            [only] => Some(only),
            _ => None,
        }
    }
}

impl fmt::Debug for ReceivedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedRequest")
            .field("line", &self.head.split("\r\n").next().unwrap_or_default())
            .field("body_bytes", &self.body.len())
            .field("signature", &self.signature)
            .finish()
    }
}
