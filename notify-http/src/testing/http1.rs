//! Shapes of HTTP/1.1, plain and within TLS.

use super::script::{Before, Script, Then};
use super::shape::Shape;

/// What a shape writes; `None` for one of another kind.
pub(super) fn script(shape: Shape) -> Option<Script> {
    connection(shape).or_else(|| head(shape)).or_else(|| body(shape)).or_else(|| elsewhere(shape))
}

fn connection(shape: Shape) -> Option<Script> {
    let at_once = |then| Script { before: Before::Nothing, first: Vec::new(), then };
    Some(match shape {
        Shape::NeverRead | Shape::NeverReadOverTls => at_once(Then::Hold),
        Shape::ReadSlowly => at_once(Then::ReadSlowly),
        Shape::NeverAnswer => Script::answer("", Then::Hold),
        Shape::CloseAtOnce => at_once(Then::Close),
        Shape::ResetAtOnce => at_once(Then::Reset),
        Shape::CloseAfterRequest => Script::answer("", Then::Close),
        Shape::ResetAfterRequest => Script::answer("", Then::Reset),
        Shape::HalfClose => at_once(Then::HalfClose),
        _ => return None,
    })
}

fn head(shape: Shape) -> Option<Script> {
    const OK: &str = "HTTP/1.1 200 OK\r\n";
    const INTERIM: &str = "HTTP/1.1 103 Early Hints\r\n\r\n";
    let closing = |first: String| Script::answer(first, Then::HalfClose);
    // A whole head with this line in it, and no body.
    let line = |line: &str| closing(format!("{OK}content-length: 0\r\n{line}\r\n\r\n"));
    let endless = |first: &str, again: String| Script::answer(first, Then::Repeat(again.into()));
    Some(match shape {
        Shape::DripHead => Script::answer("", Then::Drip([OK, "x: y\r\n"].concat().into())),
        Shape::CloseInHead => Script::answer(format!("{OK}content-"), Then::Close),
        Shape::ResetInHead => Script::answer(format!("{OK}content-"), Then::Reset),
        Shape::EndlessHeaders => endless(OK, "x: y\r\n".repeat(1000)),
        Shape::EndlessHeader => endless("HTTP/1.1 200 OK\r\nx: ", "y".repeat(4096)),
        Shape::EndlessStatusLine => endless("HTTP/1.1 200 ", "y".repeat(4096)),
        Shape::TenThousandHeaders => line(&"x: y\r\n".repeat(10_000)),
        Shape::MebibyteHeader => line(&format!("x: {}", "y".repeat(1 << 20))),
        Shape::ThousandInterims => closing(format!("{}{OK}content-length: 0\r\n\r\n", INTERIM.repeat(1000))),
        Shape::EndlessInterims => endless("", INTERIM.repeat(100)),
        Shape::InterimWithBody => {
            closing(format!("HTTP/1.1 100 Continue\r\ncontent-length: 1\r\n\r\nx{OK}content-length: 0\r\n\r\n"))
        }
        Shape::SwitchProtocols => closing("HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nx".into()),
        Shape::FourDigitStatus => closing("HTTP/1.1 2000 X\r\ncontent-length: 0\r\n\r\n".into()),
        Shape::StatusZero => closing("HTTP/1.1 000 X\r\ncontent-length: 0\r\n\r\n".into()),
        Shape::Status999 => closing("HTTP/1.1 999 X\r\ncontent-length: 0\r\n\r\n".into()),
        Shape::NoStatus => closing("HTTP/1.1 OK\r\ncontent-length: 0\r\n\r\n".into()),
        Shape::Http09 => closing("<html>hello</html>\r\n".into()),
        Shape::Http10 => closing("HTTP/1.0 200 OK\r\n\r\nhello".into()),
        Shape::Http30 => closing("HTTP/3.0 200 OK\r\ncontent-length: 0\r\n\r\n".into()),
        Shape::SshBanner => closing("SSH-2.0-OpenSSH_9.9\r\n".into()),
        Shape::TlsAtPlainPort => Script::answer([21, 3, 3, 0, 2, 2, 70], Then::HalfClose),
        Shape::Http2AtPlainPort => Script::answer([0, 0, 0, 4, 0, 0, 0, 0, 0], Then::HalfClose),
        Shape::TwoLengths => line("content-length: 1"),
        Shape::NegativeLength => closing(format!("{OK}content-length: -1\r\n\r\n")),
        Shape::SignedLength => closing(format!("{OK}content-length: +1\r\n\r\nx")),
        Shape::OverflowingLength => closing(format!("{OK}content-length: 99999999999999999999\r\n\r\n")),
        Shape::LengthAndChunks => {
            closing(format!("{OK}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"))
        }
        Shape::BlankBeforeColon => line("x : y"),
        Shape::FoldedHeader => line("x: y\r\n z"),
        Shape::NulInHeader => line("x: y\0z"),
        Shape::ReturnInHeader => line("x: y\rz"),
        Shape::NamelessHeader => line(": y"),
        Shape::BareLineFeeds => closing("HTTP/1.1 200 OK\ncontent-length: 0\n\n".into()),
        Shape::NonUtf8Header => {
            let mut answer = format!("{OK}content-length: 0\r\nx: ").into_bytes();
            answer.extend(b"\xff\xfe\xc3(\r\n\r\n");
            Script::answer(answer, Then::HalfClose)
        }
        _ => return None,
    })
}

fn body(shape: Shape) -> Option<Script> {
    let sized = |length: u64| format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned();
    let closing = |first: String| Script::answer(first, Then::HalfClose);
    let endless = |first: String, again: String| Script::answer(first, Then::Repeat(again.into()));
    Some(match shape {
        Shape::EndlessBody | Shape::EndlessBodyOverTls => endless(sized(1 << 50), "x".repeat(4096)),
        Shape::EndlessChunks => endless(chunked, format!("1000\r\n{}\r\n", "x".repeat(4096))),
        Shape::DripBody => Script::answer(sized(100), Then::Drip(vec![b'x'; 100])),
        Shape::StalledBody => Script::answer(sized(100) + "half", Then::Hold),
        Shape::BadChunkSize => closing(chunked + "xyz\r\nxyz\r\n0\r\n\r\n"),
        Shape::OverflowingChunkSize => closing(chunked + "fffffffffffffffff\r\nx"),
        Shape::EndlessChunkExtension => endless(chunked + "1;", "x".repeat(4096)),
        Shape::EndlessTrailers => endless(chunked + "1\r\nx\r\n0\r\n", "x: y\r\n".repeat(1000)),
        Shape::ShortBody => Script::answer(sized(10) + "abc", Then::Close),
        Shape::ResetInBody => Script::answer(sized(10) + "abc", Then::Reset),
        Shape::EarlyAnswer => Script { before: Before::FirstByte, first: sized(0).into(), then: Then::Hold },
        Shape::UnframedBody => closing("HTTP/1.1 200 OK\r\n\r\nhello".into()),
        Shape::NoTlsFarewell => Script::answer("HTTP/1.1 200 OK\r\n\r\nhello", Then::Drop),
        Shape::GzipBomb => {
            let bomb = gzip_bomb();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", bomb.len());
            Script::answer([head.into_bytes(), bomb].concat(), Then::Again)
        }
        Shape::NonUtf8Body => Script::answer([sized(4).as_bytes(), b"\xff\0\xc3("].concat(), Then::Again),
        Shape::BodyAt204 => Script::answer("HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello", Then::Again),
        Shape::TwoAnswers => Script::answer(sized(0).repeat(2), Then::Again),
        _ => return None,
    })
}

fn elsewhere(shape: Shape) -> Option<Script> {
    let answer = |status: &str, line: &str| {
        Script::answer(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n{line}\r\n\r\n"), Then::Again)
    };
    Some(match shape {
        Shape::RedirectInside => answer("302 Found", "location: http://169.254.169.254/latest/meta-data/"),
        Shape::RedirectToItself => answer("307 Temporary Redirect", "location: /"),
        Shape::RefreshAndAltSvc => {
            answer("200 OK", "refresh: 0;url=/other\r\nalt-svc: h2=\":1\"\r\nlink: </x>; rel=preload")
        }
        Shape::Challenge => answer("401 Unauthorized", "www-authenticate: Basic realm=\"x\""),
        Shape::ProxyChallenge => answer("407 Proxy Authentication Required", "proxy-authenticate: Basic realm=\"x\""),
        _ => return None,
    })
}

/// Ten mebibytes of zeros in ten kibibytes: stored by hand, for a compressor would be a dependency.
///
/// Deflate (RFC 1951) with its fixed codes: one literal zero, then copies of 258 bytes from one byte back. Each copy is
/// code 285 (8 bits, no extra) and distance code 0 (5 bits).
fn gzip_bomb() -> Vec<u8> {
    let mut bits = Bits::default();
    bits.push(0b1, 1); // the last block
    bits.push(0b01, 2); // fixed codes
    bits.push_code(0x30, 8); // the literal 0
    for _ in 0..(10 << 20) / 258 {
        bits.push_code(0xc5, 8);
        bits.push_code(0, 5);
    }
    bits.push_code(0, 7); // the end of the block
    let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    gzip.extend(bits.bytes);
    // A checksum and a length, which nobody gets to see.
    gzip.extend([0; 8]);
    gzip
}

#[derive(Debug, Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    /// Lowest bit first.
    fn push(&mut self, value: u32, count: u32) {
        for bit in 0..count {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= u8::from(value >> bit & 1 == 1) << (self.used % 8);
            }
            self.used += 1;
        }
    }

    /// Highest bit first, as Huffman codes are.
    fn push_code(&mut self, code: u32, count: u32) {
        for bit in (0..count).rev() {
            self.push(code >> bit & 1, 1);
        }
    }
}
