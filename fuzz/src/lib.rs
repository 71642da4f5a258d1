//! What must hold for any bytes: one function for each target. They panic where it does not.

use std::net::IpAddr;
use std::str::from_utf8;
use std::sync::LazyLock;
use std::time::Duration;

use notify_core::Timestamp;
use notify_core::endpoint::CustomHeader;
use notify_core::retry::{RetryAfter, RetryAfterRule};
use notify_core::sign::{Secret, StandardHeaders, Verifier, VerifyError, notify_signature, standard_signature};
use notify_core::store::Cursor;
use notify_core::transport::Transport;
use notify_http::HttpTransport;

/// A URL that the production guard takes is read alike by an RFC 3986 parser and leads to the public internet.
pub fn url_policy(data: &[u8]) {
    static SHUT: LazyLock<HttpTransport> = LazyLock::new(|| HttpTransport::new().expect("the defaults build"));
    static OPEN: LazyLock<HttpTransport> =
        LazyLock::new(|| HttpTransport::builder().allow_private_networks().build().expect("the ranges are right"));
    let Ok(text) = from_utf8(data) else { return };
    if OPEN.check(text).is_err() {
        assert!(SHUT.check(text).is_err(), "an opening shut {text:?}");
        return;
    }
    assert!(text.len() <= 2048, "{} bytes", text.len());
    assert!(!text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\' || c == '#'), "{text:?}");
    let (_, rest) = text.split_once("://").expect("a scheme");
    let authority = &rest[..rest.find(['/', '?']).unwrap_or(rest.len())];
    assert!(!authority.contains(['@', '%']), "{text:?}");
    let whatwg = url::Url::parse(text).expect("it was taken");
    let host = whatwg.host_str().expect("it was taken");
    if let Ok(rfc3986) = text.parse::<http::Uri>() {
        let read = rfc3986.host().expect("a host").to_ascii_lowercase();
        let is_mapped = host.starts_with("[::ffff:");
        assert!(read == host || is_mapped, "{text:?} is {read} to one parser and {host} to the other");
        assert_eq!(rfc3986.port_u16(), whatwg.port().or(rfc3986.port_u16().and(whatwg.port_or_known_default())));
    }
    if SHUT.check(text).is_err() {
        return;
    }
    assert_eq!(whatwg.scheme(), "https");
    match host.trim_matches(['[', ']']).parse() {
        Ok(IpAddr::V4(ip)) => {
            let is_special = ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_multicast();
            assert!(!is_special && !ip.is_unspecified() && ip.octets()[0] < 224, "{text:?}");
        }
        Ok(IpAddr::V6(ip)) => {
            let [first, second, ..] = ip.segments();
            assert!((0x2000..0x4000).contains(&first) && first != 0x2002, "{text:?}");
            assert!(first != 0x2001 || (second >= 0x200 && second != 0xdb8), "{text:?}");
        }
        Err(_) => {
            let ends = [".localhost", ".local", ".internal", ".test", ".example", ".invalid", ".onion", "."];
            assert!(host.contains('.') && !ends.iter().any(|end| host.ends_with(end)), "{text:?}");
            assert!(host.is_ascii() && host.len() <= 253 && !host.contains(".."), "{text:?}");
        }
    }
}

/// A header that is taken is one line of HTTP (RFC 9110, section 5), and belongs to its owner alone. The name ends at
/// the first colon.
pub fn header(data: &[u8]) {
    let Ok(text) = from_utf8(data) else { return };
    let (name, value) = text.split_once(':').unwrap_or((text, ""));
    let Ok(header) = CustomHeader::new(name, value) else { return };
    assert_eq!(header.name(), name.to_ascii_lowercase());
    let known = http::HeaderName::from_bytes(name.as_bytes()).expect("a field name");
    let line = http::HeaderValue::from_str(header.expose_value()).expect("a field value");
    assert_eq!(line.as_bytes(), value.as_bytes());
    let own = [
        http::header::HOST,
        http::header::CONTENT_LENGTH,
        http::header::CONTENT_TYPE,
        http::header::TRANSFER_ENCODING,
        http::header::CONNECTION,
        http::header::TE,
        http::header::TRAILER,
        http::header::UPGRADE,
        http::header::EXPECT,
    ];
    assert!(!own.contains(&known), "{name}");
    assert!(!["x-notify-", "webhook-", "proxy-"].iter().any(|own| header.name().starts_with(own)), "{name}");
    assert_eq!(format!("{header:?}"), format!("CustomHeader({}: ****)", header.name()));
}

/// No signature verifies but the right one. The parts end at bytes of 0xff: signature, id, timestamp; then the body.
pub fn verifier(data: &[u8]) {
    let mut parts = data.splitn(4, |byte| *byte == 0xff).map(|part| from_utf8(part).unwrap_or_default());
    let [signature, id, timestamp] = [(); 3].map(|()| parts.next().unwrap_or_default());
    let body = parts.next().unwrap_or_default().as_bytes();
    let secret = Secret::generate(&[7; 32]);
    let verifier = Verifier::new([Secret::generate(&[8; 32]), secret.clone()]);

    let right = notify_signature(&secret, body);
    assert_eq!(verifier.verify(body, &right), Ok(()));
    assert_eq!(verifier.verify(body, signature).is_ok(), signature == right, "{signature:?}");
    let longer = [body, b"\0"].concat();
    assert!(matches!(verifier.verify(&longer, &right), Err(VerifyError::NoMatch { .. })));

    let second = timestamp.parse().unwrap_or_default();
    let now = Timestamp::from_millis(i64::saturating_mul(second, 1000));
    let right = standard_signature(&secret, id, second, body).expect("a generated secret has both schemes");
    let headers = |signature| StandardHeaders { id, timestamp, signature };
    let is_plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.');
    // Beyond the year 9999 no clock goes.
    let is_whole = timestamp == second.to_string() && second >= 0 && now.as_secs() == second;
    if is_plain && is_whole {
        assert_eq!(verifier.verify_standard(body, headers(&right), now), Ok(()), "{id:?}, {timestamp:?}");
        assert!(verifier.verify_standard(&longer, headers(&right), now).is_err());
    }
    if verifier.verify_standard(body, headers(signature), now).is_ok() {
        assert!(is_plain && signature.split(' ').any(|one| one == right), "{signature:?} over {id:?}, {timestamp:?}");
    }
}

/// A cursor has one spelling, and nothing else is one.
pub fn cursor(data: &[u8]) {
    let Ok(text) = from_utf8(data) else { return };
    if let Ok(cursor) = text.parse::<Cursor>() {
        assert_eq!(cursor.to_string(), text);
    }
    if let Some(bytes) = data.first_chunk() {
        let place = Cursor(u64::from_be_bytes(*bytes));
        assert_eq!(place.to_string().parse(), Ok(place));
    }
}

/// Any value is read or is as if it had not been sent, and no value makes a retry earlier than the schedule or later
/// than the cap.
pub fn retry_after(data: &[u8]) {
    let Ok(text) = from_utf8(data) else { return };
    let (answered_at, due) = (Timestamp::EPOCH, Timestamp::from_millis(300_000));
    let cap = Duration::from_secs(3600);
    let asked = RetryAfter::parse(text);
    let next = RetryAfterRule::UpTo(cap).lengthen(due, asked, answered_at);
    assert!(next >= due && next <= answered_at.saturating_add(cap), "{text:?} makes it {next}");
    assert_eq!(RetryAfterRule::Ignore.lengthen(due, asked, answered_at), due);
    let is_number = !text.trim().is_empty() && text.trim().bytes().all(|byte| byte.is_ascii_digit());
    assert!(asked.is_none() || is_number || text.contains(':'), "{text:?} is neither a number nor a date");
}
