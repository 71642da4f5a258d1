//! From errors to reasons. Details are for operators: they name addresses, never a header, a body or a query.

use std::error::Error;
use std::io;
use std::net::SocketAddr;

use hyper_util::client::legacy;
use notify_core::delivery::{Reason, SendFailure};

use crate::connector::info_of;
use crate::guard::Refusal;
use crate::tls;

/// An address the guard refused.
#[expect(clippy::needless_pass_by_value, reason = "a mapper of errors")]
pub(crate) fn refused(refusal: Refusal) -> SendFailure {
    SendFailure::new(Reason::AddressRefused, refusal.to_string()).at(Some(refusal.ip()))
}

/// A look-up that failed.
pub(crate) fn lookup(error: &io::Error, name: &str) -> SendFailure {
    let reason = if is_ours(error) { Reason::Local } else { Reason::Dns };
    SendFailure::new(reason, format!("{name}: {error}"))
}

/// A TCP connection that was not made.
pub(crate) fn connect(error: &io::Error, address: SocketAddr) -> SendFailure {
    let reason = match error.kind() {
        _ if is_ours(error) => Reason::Local,
        io::ErrorKind::TimedOut => Reason::ConnectTimeout,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => Reason::Reset,
        // Refused by the port, or by a router on the way.
        _ => Reason::ConnectRefused,
    };
    SendFailure::new(reason, format!("{address}: {error}")).at(Some(address.ip()))
}

/// A TLS handshake that failed.
pub(crate) fn handshake(error: &io::Error) -> SendFailure {
    let detail = match rustls_error(error) {
        Some(error) => tls::fault(error),
        None => format!("the connection broke during the handshake: {error}"),
    };
    SendFailure::new(Reason::Tls, detail)
}

/// An exchange that brought no head back.
pub(crate) fn exchange(error: &legacy::Error) -> SendFailure {
    let mut is_http2 = false;
    let mut peer = None;
    if let Some(connected) = error.connect_info() {
        is_http2 = connected.is_negotiated_h2();
        peer = info_of(connected).map(|info| info.peer);
    }
    let (reason, detail) = chain(error)
        .find_map(|cause| judge(cause, is_http2))
        .unwrap_or_else(|| (Verdict::Known(Reason::Reset), error.to_string()));
    match reason {
        Verdict::Known(reason) => SendFailure::new(reason, detail).at(peer),
        Verdict::Ready(failure) => failure,
    }
}

enum Verdict {
    Known(Reason),
    /// The connector's own word, whole.
    Ready(SendFailure),
}

fn judge(cause: &(dyn Error + 'static), is_http2: bool) -> Option<(Verdict, String)> {
    if let Some(failure) = cause.downcast_ref::<SendFailure>() {
        return Some((Verdict::Ready(failure.clone()), String::new()));
    }
    if let Some(error) = cause.downcast_ref::<io::Error>() {
        // TLS 1.3 tells of a missing client certificate only after the handshake.
        return Some(match rustls_error(error) {
            Some(error) => (Verdict::Known(Reason::Tls), tls::fault(error)),
            None => (Verdict::Known(Reason::Reset), error.to_string()),
        });
    }
    let error = cause.downcast_ref::<hyper::Error>()?;
    if error.is_parse() {
        return Some((Verdict::Known(Reason::Protocol), error.to_string()));
    }
    let Some(source) = error.source() else {
        return Some((Verdict::Known(Reason::Reset), error.to_string()));
    };
    if source.is::<io::Error>() || source.is::<hyper::Error>() {
        return None;
    }
    // What is left comes from the HTTP/2 layer. "detected" is its word for rules that the peer broke, as opposed to
    // streams and connections that the peer closed.
    let detail = format!("{error}: {source}");
    let reason = if is_http2 && detail.contains("detected") { Reason::Protocol } else { Reason::Reset };
    Some((Verdict::Known(reason), detail))
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// Whether the fault is on this side: descriptors, ports, memory, permissions, no network.
fn is_ours(error: &io::Error) -> bool {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    const WSAEMFILE: i32 = 10024;
    if matches!(error.raw_os_error(), Some(ENFILE | EMFILE | WSAEMFILE)) {
        return true;
    }
    matches!(
        error.kind(),
        io::ErrorKind::AddrNotAvailable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::OutOfMemory
            | io::ErrorKind::PermissionDenied
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_this_side_never_blame_the_endpoint() {
        let address = "203.0.113.1:443".parse().unwrap();
        assert_eq!(connect(&io::Error::from_raw_os_error(24), address).reason, Reason::Local);
        assert_eq!(connect(&io::ErrorKind::NetworkUnreachable.into(), address).reason, Reason::Local);
        assert_eq!(lookup(&io::Error::from_raw_os_error(24), "h.example.com").reason, Reason::Local);
        assert_eq!(connect(&io::ErrorKind::ConnectionRefused.into(), address).reason, Reason::ConnectRefused);
        assert_eq!(connect(&io::ErrorKind::TimedOut.into(), address).reason, Reason::ConnectTimeout);
    }
}
