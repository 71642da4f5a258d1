//! Shapes of HTTP/2 (RFC 9113), frame by frame.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

use super::script::{Before, Script, Then};
use super::shape::Shape;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 0x1;
const ACK: u8 = 0x1;
const END_HEADERS: u8 = 0x4;

/// A client's first stream, and one that it will not come to.
pub(super) const FIRST_STREAM: u32 = 1;
const IDLE_STREAM: u32 = 0x7fff_ffff;

const REFUSED_STREAM: u32 = 7;
const HTTP_1_1_REQUIRED: u32 = 13;

/// HPACK (RFC 7541): `:status: 200` of the static table.
const STATUS_200: &[u8] = &[0x88];
/// `:status: 103`, a literal.
const STATUS_103: &[u8] = &[0x08, 3, b'1', b'0', b'3'];

/// What a shape writes when a request came on `stream`; `None` for a shape of another kind.
pub(super) fn script(shape: Shape, stream: u32) -> Option<Script> {
    let head = frame(HEADERS, END_HEADERS, stream, STATUS_200);
    let (answer, then) = match shape {
        Shape::Http2Silence => return Some(bare("", Then::Hold)),
        Shape::Http1AtHttp2 => return Some(bare("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", Then::HalfClose)),
        Shape::Http2NeverAnswer => (Vec::new(), Then::Hold),
        Shape::SettingsFlood => flood(SETTINGS, 0, 0, &[]),
        Shape::AcknowledgementFlood => flood(SETTINGS, ACK, 0, &[]),
        Shape::WindowFlood => flood(WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes()),
        Shape::PingFlood => flood(PING, 0, 0, &[0; 8]),
        Shape::PriorityFlood => flood(PRIORITY, 0, stream, &[0; 5]),
        Shape::UnknownFrameFlood => flood(0xbe, 0, 0, &[0; 8]),
        Shape::Http2EndlessInterims => flood(HEADERS, END_HEADERS, stream, STATUS_103),
        Shape::ResetFlood => flood(RST_STREAM, 0, IDLE_STREAM, &REFUSED_STREAM.to_be_bytes()),
        Shape::ContinuationFlood => {
            // One literal of a name and a value, never indexed, again and again.
            let literal = [0x10, 1, b'x', 1, b'y'].repeat(1000);
            (frame(HEADERS, 0, stream, STATUS_200), Then::Repeat(frame(CONTINUATION, 0, stream, &literal)))
        }
        Shape::EmptyContinuationFlood => {
            (frame(HEADERS, 0, stream, STATUS_200), Then::Repeat(frame(CONTINUATION, 0, stream, &[]).repeat(1000)))
        }
        Shape::HeaderBomb => (frame(HEADERS, END_HEADERS | END_STREAM, stream, &header_bomb()), Then::ReadOn),
        Shape::EndlessInteger => (frame(HEADERS, END_HEADERS | END_STREAM, stream, &[0xff; 4096]), Then::ReadOn),
        Shape::HugeFrame => (frame(DATA, 0, stream, &vec![0; 0x10_0000]), Then::ReadOn),
        Shape::Push => {
            let promise = [&2_u32.to_be_bytes(), &[0x82, 0x87, 0x84, 0x41, 1, b'x'][..]].concat();
            (frame(PUSH_PROMISE, END_HEADERS, stream, &promise), Then::ReadOn)
        }
        Shape::DataBeforeHead => (frame(DATA, 0, stream, b"x"), Then::ReadOn),
        Shape::HeadWithoutStatus => {
            (frame(HEADERS, END_HEADERS | END_STREAM, stream, &[0, 1, b'x', 1, b'y']), Then::ReadOn)
        }
        Shape::AnswerAhead => (frame(HEADERS, END_HEADERS | END_STREAM, stream + 2, STATUS_200), Then::ReadOn),
        Shape::WindowOverflow => (frame(WINDOW_UPDATE, 0, 0, &0x7fff_ffff_u32.to_be_bytes()), Then::ReadOn),
        Shape::GoAway => {
            let with_words = [&[0; 8], &b"canary: error detected"[..]].concat();
            (frame(GOAWAY, 0, 0, &with_words), Then::Again)
        }
        Shape::RefusedStream => (frame(RST_STREAM, 0, stream, &REFUSED_STREAM.to_be_bytes()), Then::Again),
        Shape::Http11Required => (frame(RST_STREAM, 0, stream, &HTTP_1_1_REQUIRED.to_be_bytes()), Then::Again),
        Shape::ResetAfterHead => ([head, frame(RST_STREAM, 0, stream, &[0; 4])].concat(), Then::Again),
        Shape::BodyPastWindow => (head, Then::Repeat(frame(DATA, 0, stream, &[b'x'; 4096]))),
        Shape::EmptyBodyFlood => (head, Then::Repeat(frame(DATA, 0, stream, &[]).repeat(1000))),
        _ => return None,
    };
    let first = [frame(SETTINGS, 0, 0, &[]), answer].concat();
    Some(Script { before: Before::Http2Request, first, then })
}

/// Without the settings that HTTP/2 begins with.
fn bare(first: &str, then: Then) -> Script {
    Script { before: Before::Http2Request, first: first.into(), then }
}

fn flood(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> (Vec<u8>, Then) {
    (Vec::new(), Then::Repeat(frame(kind, flags, stream, payload).repeat(5000)))
}

/// A value of 4,000 bytes put into the table once, and 10,000 references to it.
fn header_bomb() -> Vec<u8> {
    let mut block = STATUS_200.to_vec();
    // A literal with indexing; 4,000 is 127 and the rest in groups of seven bits.
    block.extend([0x40, 1, b'x', 127, 0xa1, 0x1e]);
    block.extend([b'y'; 4000]);
    block.extend([0xbe; 10_000]);
    block
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, a, b, c] = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
    let mut frame = vec![a, b, c, kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Reads requests, and minds nothing else that a client says.
#[derive(Debug, Default)]
pub(super) struct Reader {
    greeted: bool,
}

impl Reader {
    /// Reads on to the end of the next request and says on which stream it came; `None` once the client sends no more.
    pub(super) async fn read_request(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<u32>> {
        if !self.greeted {
            // "PRI * HTTP/2.0" and so on.
            if !filled(stream, &mut [0; 24]).await? {
                return Ok(None);
            }
            self.greeted = true;
        }
        loop {
            let mut header = [0; 9];
            if !filled(stream, &mut header).await? {
                return Ok(None);
            }
            let [a, b, c, kind, flags, id @ ..] = header;
            let mut payload = vec![0; usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c)];
            if !filled(stream, &mut payload).await? {
                return Ok(None);
            }
            if matches!(kind, HEADERS | DATA) && flags & END_STREAM != 0 {
                return Ok(Some(u32::from_be_bytes(id)));
            }
        }
    }
}

async fn filled(stream: &mut (impl AsyncRead + Unpin), bytes: &mut [u8]) -> io::Result<bool> {
    match stream.read_exact(bytes).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
