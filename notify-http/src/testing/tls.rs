//! Shapes of TLS: certificates, and bytes that are no handshake.

use std::io;

use super::authority::{TestAuthority, TestIdentity, Validity};
use super::script::{Before, Script, Then};
use super::shape::{Shape, Wire};
use crate::unstable::ServerConfig;

/// The certificate that a shape shows at `host`, and how it speaks.
pub(super) fn config(shape: Shape, host: &str, root: &TestAuthority) -> io::Result<ServerConfig> {
    let valid = || root.server(host, Validity::Present);
    let identity = match shape {
        Shape::Expired => root.server(host, Validity::Past)?,
        Shape::NotYetValid => root.server(host, Validity::Future)?,
        Shape::WrongName => root.server("another.example.com", Validity::Present)?,
        Shape::SelfSigned => TestIdentity::self_signed(host)?,
        Shape::SelfSignedAuthority => TestIdentity::self_signed_authority(host)?,
        Shape::UnknownAuthority => {
            let unknown = TestAuthority::root("an unknown root")?;
            unknown.server(host, Validity::Present)?.with_issuer(&unknown)
        }
        Shape::MissingIntermediate => root.intermediate("an intermediate")?.server(host, Validity::Present)?,
        Shape::BadSignature => valid()?.with_broken_signature(),
        Shape::WrongPurpose => root.client(host)?,
        Shape::ClientCertificate => return valid()?.into_mutual_server_config(root),
        _ => valid()?,
    };
    let mut config = identity.into_server_config()?;
    if shape == Shape::TicketFlood {
        config.send_tls13_tickets = 2000;
    }
    if shape.wire() == Wire::Http2 {
        config.alpn_protocols = vec![b"h2".to_vec()];
    }
    Ok(config)
}

/// What is written where a handshake was begun; `None` for a shape of another kind.
pub(super) fn script(shape: Shape) -> Option<Script> {
    let (first, then) = match shape {
        Shape::TlsSilence => (Vec::new(), Then::Hold),
        Shape::TlsStall => (server_hello(0x03)[..20].to_vec(), Then::Hold),
        Shape::TlsClose => (Vec::new(), Then::HalfClose),
        Shape::TlsReset => (Vec::new(), Then::Reset),
        Shape::PlainHttp => (b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n".to_vec(), Then::HalfClose),
        Shape::Tls10 => (server_hello(0x01), Then::HalfClose),
        Shape::Tls11 => (server_hello(0x02), Then::HalfClose),
        Shape::TlsVersionAlert => (alert(70), Then::HalfClose),
        Shape::TlsFailureAlert => (alert(40), Then::HalfClose),
        Shape::TlsHugeRecord => (vec![HANDSHAKE, 3, 3, 0xff, 0xff], Then::HalfClose),
        Shape::TlsHugeMessage => {
            let piece = record(HANDSHAKE, &[0; 4096]);
            (record(HANDSHAKE, &[2, 0xff, 0xff, 0xff]), Then::Repeat(piece))
        }
        Shape::TlsEmptyRecords => (Vec::new(), Then::Repeat(record(HANDSHAKE, &[]).repeat(100))),
        _ => return None,
    };
    Some(Script { before: Before::FirstByte, first, then })
}

const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;

/// A hello of TLS 1.(minor - 1) with a cipher of its time.
fn server_hello(minor: u8) -> Vec<u8> {
    let mut hello = vec![2, 0, 0, 38, 3, minor];
    hello.extend([0x5a; 32]);
    // No session, TLS_RSA_WITH_AES_128_CBC_SHA, no compression.
    hello.extend([0, 0x00, 0x2f, 0]);
    record(HANDSHAKE, &hello)
}

fn alert(description: u8) -> Vec<u8> {
    record(ALERT, &[2, description])
}

fn record(kind: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[kind, 3, 3, high, low], payload].concat()
}
