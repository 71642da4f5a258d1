//! The one ready-made `authorize` hook: this computer only, for development.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::header::HOST;
use axum::http::request::Parts;

use crate::access::{Access, Scope};

/// Lets everybody on this computer in as an administrator of all tenants, and nobody else: **for development**.
///
/// It reads the peer's address, so serve with
/// [`into_make_service_with_connect_info::<SocketAddr>()`](axum::Router::into_make_service_with_connect_info); without
/// it everybody is denied. A request that a proxy forwarded is denied, since its peer is the proxy; and so is one whose
/// `Host` is no name of this computer, since a stranger's page can make a name of its own point here (DNS rebinding).
pub fn allow_loopback() -> impl Fn(Parts) -> std::future::Ready<Access> + Send + Sync + 'static {
    |parts| std::future::ready(judge(&parts))
}

fn judge(parts: &Parts) -> Access {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
    let forwarded = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];
    let local = peer.is_some_and(|ip| ip.to_canonical().is_loopback())
        && !forwarded.iter().any(|name| parts.headers.contains_key(*name))
        && host(parts).is_some_and(is_this_computer);
    if local { Access::admin(Scope::All).named("this computer") } else { Access::Denied }
}

fn host(parts: &Parts) -> Option<&str> {
    parts.uri.authority().map(|authority| authority.as_str()).or_else(|| parts.headers.get(HOST)?.to_str().ok())
}

fn is_this_computer(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name == "localhost" || name.ends_with(".localhost") || address.is_ok_and(|ip| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn access(peer: Option<&str>, host: &str, more: Option<&str>) -> Access {
        let mut request = Request::builder().header("host", host);
        if let Some(name) = more {
            request = request.header(name, "203.0.113.9");
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        if let Some(peer) = peer {
            parts.extensions.insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        }
        judge(&parts)
    }

    #[test]
    fn only_this_computer_under_its_own_name_gets_in() {
        for (peer, host) in [
            ("127.0.0.1:9", "127.0.0.1:3000"),
            ("[::1]:9", "[::1]:3000"),
            ("[::ffff:127.0.0.1]:9", "localhost"),
            ("127.8.8.8:9", "notify.localhost:80"),
        ] {
            assert!(matches!(access(Some(peer), host, None), Access::Granted(_)), "{peer} {host}");
        }
        for (peer, host, more) in [
            (None, "localhost", None),
            (Some("192.0.2.1:9"), "localhost", None),
            (Some("127.0.0.1:9"), "rebound.example.com:3000", None),
            (Some("127.0.0.1:9"), "localhost.example.com", None),
            (Some("127.0.0.1:9"), "localhost", Some("x-forwarded-for")),
            (Some("127.0.0.1:9"), "localhost", Some("forwarded")),
        ] {
            assert_eq!(access(peer, host, more), Access::Denied, "{peer:?} {host} {more:?}");
        }
    }
}
