//! Free ports.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Below the ports that systems give to outgoing connections: a server that is restarted must find its port free, and a
/// client that tries to reach it in between must not be given that very port for its own end.
const PORTS: std::ops::Range<u16> = 11_000..31_000;

static STEP: AtomicU16 = AtomicU16::new(0);

/// A port of loopback that nobody listens on now.
pub(crate) fn free() -> u16 {
    let span = u32::from(PORTS.end - PORTS.start);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
    loop {
        let step = u32::from(STEP.fetch_add(1, Ordering::Relaxed));
        let offset = nanos.wrapping_add(std::process::id().wrapping_mul(7919)).wrapping_add(step) % span;
        let port = PORTS.start + u16::try_from(offset).unwrap_or(0);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
