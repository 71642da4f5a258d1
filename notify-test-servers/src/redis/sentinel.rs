//! A primary with a replica, watched by Sentinel.

use redis::RedisResult;
use tempfile::TempDir;

use super::{RedisServer, wait_until};
use crate::StartError;

const NAME: &str = "notify";

/// One primary, one replica, and sentinels of which a majority must agree that the primary is down.
#[derive(Debug)]
pub struct SentinelSet {
    servers: [RedisServer; 2],
    sentinels: Vec<RedisServer>,
}

impl SentinelSet {
    /// Starts both servers with these settings, and so many sentinels; returns once the replica follows and each
    /// sentinel knows all the others.
    ///
    /// # Errors
    /// [`StartError`].
    ///
    /// # Panics
    /// If they do not find each other.
    pub fn start(settings: &[(&str, &str)], sentinels: usize) -> Result<Self, StartError> {
        // A replica that waits for others before it is filled costs five seconds.
        let settings = [settings, &[("repl-diskless-sync-delay", "0")]].concat();
        let primary = RedisServer::start(&settings)?;
        let of_primary = format!("127.0.0.1 {}", primary.port());
        let replica = RedisServer::start(&[&settings[..], &[("replicaof", &of_primary)]].concat())?;
        let watchers = (0..sentinels).map(|_| start_sentinel(&primary, sentinels)).collect::<Result<Vec<_>, _>>()?;
        let set = Self { servers: [primary, replica], sentinels: watchers };
        let follows = || set.servers[1].run::<String>(&["INFO", "replication"]).contains("master_link_status:up");
        wait_until(follows).expect("the replica follows");
        let knows = |sentinel: &RedisServer| {
            let text = sentinel.run::<String>(&["INFO", "sentinel"]);
            text.contains(&format!("slaves=1,sentinels={sentinels}"))
        };
        wait_until(|| set.sentinels.iter().all(knows)).expect("the sentinels know each other");
        Ok(set)
    }

    /// `redis-sentinel://`, the addresses of the sentinels, and the name of what they watch.
    #[must_use]
    pub fn url(&self) -> String {
        let addresses: Vec<String> = self.sentinels.iter().map(RedisServer::address).collect();
        format!("redis-sentinel://{}/{NAME}", addresses.join(","))
    }

    /// The server that began as the primary.
    pub const fn first_mut(&mut self) -> &mut RedisServer {
        &mut self.servers[0]
    }

    /// The server that began as the replica.
    #[must_use]
    pub const fn second(&self) -> &RedisServer {
        &self.servers[1]
    }

    /// Returns once the second server is the primary and every sentinel says so.
    ///
    /// # Panics
    /// If that does not come.
    pub fn wait_for_failover(&self) {
        let second = self.servers[1].port().to_string();
        let says = |sentinel: &RedisServer| {
            let address: RedisResult<Vec<String>> = sentinel.try_run(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME]);
            address.is_ok_and(|address| address.get(1) == Some(&second))
        };
        // Sentinel closes the connections of a server that it promotes.
        let info = || self.servers[1].try_run::<String>(&["INFO", "replication"]);
        let leads = || info().is_ok_and(|info| info.contains("role:master"));
        wait_until(|| leads() && self.sentinels.iter().all(says)).expect("the replica is promoted");
    }
}

fn start_sentinel(primary: &RedisServer, sentinels: usize) -> Result<RedisServer, StartError> {
    let io =
        |folder: &TempDir, source| StartError::Io { program: "redis-server", folder: folder.path().to_owned(), source };
    let folder = TempDir::new().map_err(|source| StartError::Io {
        program: "redis-server",
        folder: std::env::temp_dir(),
        source,
    })?;
    // Sentinel writes what it learns into its own file: it must be one.
    let file = folder.path().join("sentinel.conf");
    let quorum = sentinels / 2 + 1;
    let text = format!(
        "sentinel monitor {NAME} 127.0.0.1 {} {quorum}\nsentinel down-after-milliseconds {NAME} 500\n\
         sentinel failover-timeout {NAME} 2000\n",
        primary.port()
    );
    std::fs::write(&file, text).map_err(|source| io(&folder, source))?;
    RedisServer::start_in(folder, &[file.display().to_string(), "--sentinel".to_owned()], &[])
}
