//! From errors to reasons. Details are for operators: they name addresses, never a header, a body or a query.

use std::error::Error;
use std::io;
use std::net::SocketAddr;

use hyper_util::client::legacy;
use notify_core::delivery::{Reason, SendFailure, TlsFault};

use crate::guard::Refusal;
use crate::stream::ConnectionInfo;
use crate::tls;

/// Of a text that a receiver can make long.
const MAX_DETAIL: usize = 300;

/// An address the guard refused.
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
    let noted = error.get_ref().and_then(|error| error.downcast_ref::<SendFailure>());
    of_tls(error).or_else(|| noted.cloned()).unwrap_or_else(|| {
        SendFailure::tls(TlsFault::Broken, format!("the connection broke during the handshake: {error}"))
    })
}

/// A fault of TLS, if it is one.
pub(crate) fn of_tls(error: &io::Error) -> Option<SendFailure> {
    let (fault, detail) = tls::fault(error.get_ref()?.downcast_ref()?);
    // A certificate may name thousands of hosts.
    Some(SendFailure::tls(fault, detail.chars().take(MAX_DETAIL).collect::<String>()))
}

/// An exchange that brought no head back, over the connection that `info` tells of.
pub(crate) fn exchange(error: &legacy::Error, info: Option<ConnectionInfo>) -> SendFailure {
    let of_connection = info.as_ref().and_then(|info| info.allowance.fault()).cloned();
    let failure = of_connection
        .or_else(|| chain(error).find_map(judge))
        .unwrap_or_else(|| SendFailure::new(Reason::Reset, error.to_string()));
    if failure.peer.is_some() {
        return failure;
    }
    failure.at(info.map(|info| info.peer))
}

/// What one link of the chain says, if it says enough.
fn judge(cause: &(dyn Error + 'static)) -> Option<SendFailure> {
    // The connector's own word.
    if let Some(failure) = cause.downcast_ref::<SendFailure>() {
        return Some(failure.clone());
    }
    if let Some(error) = cause.downcast_ref::<io::Error>() {
        return Some(SendFailure::new(Reason::Reset, error.to_string()));
    }
    let error = cause.downcast_ref::<hyper::Error>()?;
    if error.is_parse() {
        return Some(SendFailure::new(Reason::Protocol, error.to_string()));
    }
    let Some(source) = error.source() else {
        return Some(SendFailure::new(Reason::Reset, error.to_string()));
    };
    if source.is::<io::Error>() || source.is::<hyper::Error>() {
        return None;
    }
    // What is left comes from the HTTP/2 layer. "error detected" are its words for rules that the peer broke, unlike
    // streams and connections that the peer closed, with bytes of its own choice behind: those may echo a payload.
    let text = source.to_string();
    let (reason, text) = match text.split_once(" error detected") {
        Some((what, _)) if !what.contains(':') => (Reason::Protocol, text.as_str()),
        _ => (Reason::Reset, text.split(" (b\"").next().unwrap_or_default()),
    };
    Some(SendFailure::new(reason, format!("{error}: {text}")))
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
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
