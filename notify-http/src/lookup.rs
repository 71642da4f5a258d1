//! One look-up, bounded in time.

use std::net::IpAddr;
use std::time::Duration;

use notify_core::delivery::{Reason, SendFailure};
use tokio::time::timeout;

use crate::failure;
use crate::guard::Destination;
use crate::resolve::Resolve;

/// What a name server may take, out of the attempt's time.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(3);

/// The addresses of a destination, at least one, none of them judged.
pub(crate) async fn addresses_of(
    destination: &Destination,
    resolver: &dyn Resolve,
) -> Result<Vec<IpAddr>, SendFailure> {
    let name = match destination {
        Destination::Ip(ip) => return Ok(vec![*ip]),
        Destination::Name(name) => name,
    };
    let Ok(answer) = timeout(LOOKUP_TIMEOUT, resolver.resolve(name)).await else {
        return Err(SendFailure::new(Reason::Dns, format!("{name}: no answer within {LOOKUP_TIMEOUT:?}")));
    };
    let ips = answer.map_err(|error| failure::lookup(&error, name))?;
    if ips.is_empty() { Err(SendFailure::new(Reason::Dns, format!("{name}: no address"))) } else { Ok(ips) }
}
