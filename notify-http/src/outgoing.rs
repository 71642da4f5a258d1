//! The one request of an attempt.

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Uri};
use http_body_util::Full;
use notify_core::delivery::{Reason, SendFailure};
use notify_core::sign;
use notify_core::transport::Request;

const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("notify/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/json");
// Bodies are kept as they come; a compressed one would be unreadable in a log.
const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

/// Builds it. `host` is added by the client, since HTTP/2 has none.
pub(crate) fn build(uri: Uri, request: Request) -> Result<http::Request<Full<Bytes>>, SendFailure> {
    let mut built = http::Request::new(Full::new(request.body.clone()));
    *built.method_mut() = Method::POST;
    *built.uri_mut() = uri;
    let headers = built.headers_mut();
    headers.reserve(request.headers.len() + 5);
    headers.insert(header::CONTENT_TYPE, JSON);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(request.body.len()));
    headers.insert(header::USER_AGENT, USER_AGENT);
    headers.insert(header::ACCEPT_ENCODING, IDENTITY);
    for line in request.headers {
        let refuse = |why: &str| SendFailure::new(Reason::Local, format!("header {:?} {why}", line.name));
        let name = read_name(&line.name).ok_or_else(|| refuse("has no valid name"))?;
        if RESERVED.contains(&name) {
            return Err(refuse("is the transport's own"));
        }
        let mut value =
            HeaderValue::try_from(line.value).map_err(|_| refuse("has a value that is no visible ascii"))?;
        // Masks it in `Debug`, and keeps it out of HTTP/2's compression tables (RFC 7541, section 7.1.3).
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(built)
}

/// Signature headers stand on every request: their names cost no allocation.
fn read_name(name: &str) -> Option<HeaderName> {
    for (known, ready) in &SIGNED {
        if name == *known {
            return Some(ready.clone());
        }
    }
    HeaderName::from_bytes(name.as_bytes()).ok()
}

static RESERVED: [HeaderName; 8] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::TE,
    header::UPGRADE,
    header::EXPECT,
];

static SIGNED: [(&str, HeaderName); 6] = [
    (sign::NOTIFY_SIGNATURE, HeaderName::from_static(sign::NOTIFY_SIGNATURE)),
    (sign::WEBHOOK_ID, HeaderName::from_static(sign::WEBHOOK_ID)),
    (sign::WEBHOOK_TIMESTAMP, HeaderName::from_static(sign::WEBHOOK_TIMESTAMP)),
    (sign::WEBHOOK_SIGNATURE, HeaderName::from_static(sign::WEBHOOK_SIGNATURE)),
    (sign::NOTIFY_SIGNATURE_NEXT, HeaderName::from_static(sign::NOTIFY_SIGNATURE_NEXT)),
    (sign::NOTIFY_SIGNATURE_PREVIOUS, HeaderName::from_static(sign::NOTIFY_SIGNATURE_PREVIOUS)),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn request(name: &'static str, value: &str) -> Request {
        let headers = vec![sign::Header::new(name, value.to_owned())];
        Request::new("https://h.example.com/".into(), headers, Bytes::from_static(b"canary"), Duration::from_secs(1))
    }

    #[test]
    fn a_header_of_the_transport_or_of_no_valid_form_is_refused_without_its_value() {
        for (name, value) in [
            ("Content-Length", "canary"),
            ("host", "canary"),
            ("transfer-encoding", "canary"),
            ("a b", "canary"),
            ("x", "canary\r\nx-evil: 1"),
            ("x-notify-signature", "canary\0"),
        ] {
            let failure = build(Uri::from_static("https://h.example.com/"), request(name, value)).unwrap_err();
            assert_eq!(failure.reason, Reason::Local, "{name}");
            assert!(!format!("{failure:?}").contains("canary"), "{failure:?}");
        }
    }

    #[test]
    fn header_values_stay_out_of_debug() {
        let built = build(Uri::from_static("https://h.example.com/"), request("authorization", "canary")).unwrap();
        assert!(!format!("{:?}", built.headers()).contains("canary"));
    }
}
