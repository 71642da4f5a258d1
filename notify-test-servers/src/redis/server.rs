//! One Redis server.

use std::path::Path;
use std::time::Duration;

use redis::{Connection, FromRedisValue, RedisResult};
use tempfile::TempDir;

use super::wait_until;
use crate::process::Process;
use crate::{StartError, port};

const PROGRAM: &str = "redis-server";

const LOG: &str = "server.log";

/// What its log says when its port is somebody else's.
const TAKEN: &str = "Address already in use";

/// As the value of a setting: a port that nobody listens on, another for each setting. [`RedisServer::setting`] tells
/// which.
pub const FREE_PORT: &str = "FREE_PORT";

/// Every write is on the disk before it is answered.
pub const AOF_ALWAYS: &[(&str, &str)] = &[("appendonly", "yes"), ("appendfsync", "always")];

/// Writes reach the disk within a second or two.
pub const AOF_EVERY_SECOND: &[(&str, &str)] = &[("appendonly", "yes"), ("appendfsync", "everysec")];

/// A `redis-server` of its own. Dropped, it is killed and its folder removed.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    arguments: Vec<String>,
    // Before the folder: the process must be gone when its folder goes.
    process: Option<Process>,
    folder: TempDir,
}

impl RedisServer {
    /// Starts a server with these settings of `redis.conf`, and returns once it answers. Without any it persists
    /// nothing.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(settings: &[(&str, &str)]) -> Result<Self, StartError> {
        Self::start_as(&[], settings)
    }

    /// The same with words before the settings: a configuration file, or `--sentinel`.
    pub(super) fn start_as(first: &[String], settings: &[(&str, &str)]) -> Result<Self, StartError> {
        let folder = tempfile::tempdir().map_err(|source| StartError::Io {
            program: PROGRAM,
            folder: std::env::temp_dir(),
            source,
        })?;
        Self::start_in(folder, first, settings)
    }

    pub(super) fn start_in(
        mut folder: TempDir,
        first: &[String],
        settings: &[(&str, &str)],
    ) -> Result<Self, StartError> {
        // Another process may take the port between the look and the bind: then a server gets another one.
        loop {
            let port = port::free();
            let mut arguments = first.to_vec();
            let log = folder.path().join(LOG).display().to_string();
            let ours = [("port", &*port.to_string()), ("bind", "127.0.0.1"), ("save", ""), ("logfile", &log)];
            let ours = ours.into_iter().chain([("enable-debug-command", "yes")]);
            for (name, value) in ours.chain(settings.iter().copied()) {
                let value = if value == FREE_PORT { port::free().to_string() } else { value.to_owned() };
                arguments.extend([format!("--{name}"), value]);
            }
            let process = Some(Process::start(PROGRAM, &arguments, folder.path())?);
            let server = Self { port, arguments, process, folder };
            match server.wait_until_ready() {
                Err(StartError::NotReady { log, .. }) if log.contains(TAKEN) => {
                    let Self { process, folder: same, .. } = server;
                    drop(process);
                    folder = same;
                }
                ready => return ready.map(|()| server),
            }
        }
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The value of a setting that it was started with.
    ///
    /// # Panics
    /// If it was started without it.
    #[must_use]
    pub fn setting(&self, name: &str) -> &str {
        let wanted = format!("--{name}");
        let at = self.arguments.iter().position(|argument| *argument == wanted);
        let value = at.and_then(|at| self.arguments.get(at + 1));
        value.unwrap_or_else(|| panic!("{PROGRAM} was started without {name}"))
    }

    /// `127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `redis://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    /// Where it keeps its files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Kills it, as a machine that loses its power does to a process: nothing is flushed.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it again on its port, with what its folder holds. One that runs is killed first.
    ///
    /// # Panics
    /// If it does not get ready.
    pub fn restart(&mut self) {
        self.kill();
        let process = Process::start(PROGRAM, &self.arguments, self.folder.path());
        self.process = Some(process.unwrap_or_else(|error| panic!("{error}: {error:?}")));
        self.wait_until_ready().unwrap_or_else(|error| panic!("{error}"));
    }

    /// Runs one command and gives its answer.
    ///
    /// # Panics
    /// If it is an error, or of another type.
    pub fn run<T: FromRedisValue>(&self, command: &[&str]) -> T {
        self.try_run(command).unwrap_or_else(|error| panic!("{command:?} at {}: {error}", self.address()))
    }

    /// Runs one command.
    ///
    /// # Errors
    /// The server's, or that it does not answer.
    pub fn try_run<T: FromRedisValue>(&self, command: &[&str]) -> RedisResult<T> {
        let (name, arguments) = command.split_first().unwrap_or((&"PING", &[]));
        redis::cmd(name).arg(arguments).query(&mut self.connection()?)
    }

    /// A number of `INFO`, such as `used_memory`.
    ///
    /// # Panics
    /// If it has no such number.
    #[must_use]
    pub fn info(&self, name: &str) -> u64 {
        let info: String = self.run(&["INFO", "everything"]);
        let mut values = info.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':')?.parse().ok());
        values.next().unwrap_or_else(|| panic!("INFO has no number {name}"))
    }

    /// How often a command was called, from `INFO commandstats`.
    #[must_use]
    pub fn calls(&self, command: &str) -> u64 {
        let info: String = self.run(&["INFO", "commandstats"]);
        let calls = info.lines().find_map(|line| {
            let counted = line.strip_prefix("cmdstat_")?.strip_prefix(command)?.strip_prefix(":calls=")?;
            counted.split(',').next()?.parse().ok()
        });
        calls.unwrap_or(0)
    }

    /// All keys of its database 0, by `SCAN`.
    ///
    /// # Panics
    /// If it does not answer.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let mut connection = self.connection().unwrap_or_else(|error| panic!("{}: {error}", self.address()));
        let (mut keys, mut cursor) = (Vec::new(), 0_u64);
        loop {
            let scan = redis::cmd("SCAN").arg(cursor).arg("COUNT").arg(1_000).query(&mut connection);
            let (next, some): (u64, Vec<String>) = scan.unwrap_or_else(|error| panic!("SCAN: {error}"));
            keys.extend(some);
            cursor = next;
            if cursor == 0 {
                return keys;
            }
        }
    }

    fn connection(&self) -> RedisResult<Connection> {
        let connection = redis::Client::open(self.url())?.get_connection_with_timeout(Duration::from_secs(2))?;
        connection.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(connection)
    }

    fn wait_until_ready(&self) -> Result<(), StartError> {
        let log = || std::fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default();
        let taken = || log().contains(TAKEN);
        // Its own log says that it listens: on a port that was taken a stranger answers.
        let listens = || ["Ready to accept connections", "Sentinel ID is"].iter().any(|line| log().contains(line));
        let waited = wait_until(|| taken() || listens() && self.try_run::<String>(&["PING"]).is_ok());
        if waited.is_ok() && !taken() {
            return Ok(());
        }
        let log = log();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(5)..].join(" | ");
        Err(StartError::NotReady { program: PROGRAM, log: tail })
    }
}
