//! Redis: one server, a cluster, a primary that Sentinel watches.

mod cluster;
mod frame;
mod proxy;
mod sentinel;
mod server;

pub use cluster::RedisCluster;
pub use proxy::{Cut, CuttingProxy};
pub use sentinel::SentinelSet;
pub use server::{AOF_ALWAYS, AOF_EVERY_SECOND, FREE_PORT, RedisServer};

use std::time::{Duration, Instant};

/// Long enough for a loaded machine; nothing waits that long when all is well.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks until it is so.
fn wait_until(mut is_so: impl FnMut() -> bool) -> Result<(), Late> {
    let started = Instant::now();
    while !is_so() {
        if started.elapsed() > PATIENCE {
            return Err(Late);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// It did not become so.
#[derive(Debug)]
struct Late;
