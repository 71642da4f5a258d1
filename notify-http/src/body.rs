//! The response's body: its first bytes, and no waiting for more than that.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

/// What is kept of a body.
const MAX_BODY: usize = 16 * 1024;

/// Reads to the end, to 16 KiB, to a fault or to the deadline, whichever comes first; says whether the end was missed.
///
/// Dropping an unfinished body closes an HTTP/1.1 connection and resets an HTTP/2 stream, so an endless one costs
/// nothing more. The bytes are copied out of the connection's buffer, which a log would else keep alive.
pub(crate) async fn read(mut body: Incoming, deadline: Instant) -> (Bytes, bool) {
    let mut kept = BytesMut::new();
    loop {
        match timeout_at(deadline, body.frame()).await {
            Ok(None) => return (kept.freeze(), false),
            Ok(Some(Ok(frame))) => {
                // A timeout does not strike while there is always something ready, and empty frames never fill us.
                if Instant::now() >= deadline {
                    return (kept.freeze(), true);
                }
                let Some(data) = frame.data_ref() else { continue };
                let room = MAX_BODY - kept.len();
                kept.extend_from_slice(&data[..data.len().min(room)]);
                if data.len() > room {
                    return (kept.freeze(), true);
                }
            }
            Ok(Some(Err(_))) | Err(_) => return (kept.freeze(), true),
        }
    }
}
