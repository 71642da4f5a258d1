//! The `host` program as a child process, in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use notify_test_servers::{AOF_EVERY_SECOND, RedisCluster, RedisServer, require};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};

use crate::http::{Answer, request};

/// Long enough for a loaded machine; nothing waits that long when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A folder, and a store that outlives the hosts that use it: a database file in it, unless it says otherwise.
#[derive(Debug)]
pub(crate) struct Folder {
    files: TempDir,
    store: String,
    /// What must not end before the folder does.
    _server: Option<Box<dyn std::fmt::Debug>>,
}

/// One running host. Dropped, it is killed by its pid.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) address: String,
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: Arc<Mutex<String>>,
    stderr_ended: tokio::task::JoinHandle<()>,
}

/// How a host ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let files = tempfile::tempdir().unwrap();
        Self { store: format!("sqlite:{}", database(&files).display()), files, _server: None }
    }

    /// With a Redis server of its own; `None` where there is none.
    pub(crate) fn on_redis() -> Option<Self> {
        let server = require(RedisServer::start(AOF_EVERY_SECOND))?;
        let (files, store) = (tempfile::tempdir().unwrap(), server.url());
        Some(Self { files, store, _server: Some(Box::new(server)) })
    }

    /// With a Redis Cluster of three primaries; `None` where there is none.
    pub(crate) fn on_redis_cluster() -> Option<Self> {
        let cluster = require(RedisCluster::start(AOF_EVERY_SECOND))?;
        let (files, store) = (tempfile::tempdir().unwrap(), cluster.url());
        Some(Self { files, store, _server: Some(Box::new(cluster)) })
    }

    /// What a host on it calls its store.
    pub(crate) fn kind(&self) -> &'static str {
        if self.store.starts_with("redis") { "redis" } else { "sqlite" }
    }

    pub(crate) fn database(&self) -> PathBuf {
        database(&self.files)
    }

    pub(crate) fn path(&self) -> &Path {
        self.files.path()
    }

    /// Starts a host on this store that may reach loopback.
    pub(crate) async fn host(&self, options: &[&str]) -> Host {
        self.host_with(options, &[]).await
    }

    pub(crate) async fn host_with(&self, options: &[&str], environment: &[(&str, &str)]) -> Host {
        let mut command = self.command();
        command.args(["--allow", "127.0.0.0/8"]).args(options).envs(environment.iter().copied());
        Host::start(command).await
    }

    /// Starts a host as in production: it reaches public addresses only.
    pub(crate) async fn guarded_host(&self) -> Host {
        Host::start(self.command()).await
    }

    fn command(&self) -> Command {
        let mut command = program();
        command.args(["--listen", "127.0.0.1:0", "--store", &self.store]);
        command
    }
}

impl Host {
    async fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut pipe = BufReader::new(child.stderr.take().unwrap());
        let stderr = Arc::new(Mutex::new(String::new()));
        let lines = Arc::clone(&stderr);
        // Read all the time: a full pipe would stop the host.
        let stderr_ended = tokio::spawn(async move {
            let mut line = String::new();
            while pipe.read_line(&mut line).await.is_ok_and(|read| read > 0) {
                lines.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        let mut line = String::new();
        tokio::time::timeout(PATIENCE, stdout.read_line(&mut line)).await.expect("it says where it listens").unwrap();
        let address = line.trim().strip_prefix("listening on http://");
        let address = address.unwrap_or_else(|| panic!("{line:?}, {}", stderr.lock().unwrap())).to_owned();
        Self { address, child, stdout, stderr, stderr_ended }
    }

    pub(crate) async fn call(&self, line: &str, body: impl ToString) -> Answer {
        request(&self.address, line, body.to_string().as_bytes()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        request(&self.address, &format!("GET {path}"), b"").await.expect(200)
    }

    /// Registers an endpoint and gives its whole answer, the secret included.
    pub(crate) async fn endpoint(&self, name: &str, url: &str) -> Value {
        self.call("POST /endpoints", json!({ "name": name, "url": url })).await.expect(201)
    }

    /// Publishes `connection.created` and gives the event's id.
    pub(crate) async fn publish(&self) -> String {
        let body = r#"{"event":"connection.created","data":{"connection_id":"con_1"}}"#;
        text(&self.call("POST /events", body).await.expect(202)["event_id"])
    }

    /// Reads the event until `enough` holds.
    pub(crate) async fn event_until(&self, id: &str, enough: impl Fn(&Value) -> bool) -> Value {
        self.read_until(&format!("/events/{id}"), enough).await
    }

    pub(crate) async fn read_until(&self, path: &str, enough: impl Fn(&Value) -> bool) -> Value {
        let started = std::time::Instant::now();
        loop {
            let value = self.get(path).await;
            if enough(&value) {
                return value;
            }
            assert!(started.elapsed() < 2 * PATIENCE, "{path} stays {value:#}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Sends a signal by the child's pid.
    pub(crate) async fn signal(&self, name: &str) {
        let pid = self.child.id().expect("it runs").to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status().await.unwrap();
        assert!(status.success());
    }

    /// Waits for its end.
    pub(crate) async fn ended(mut self) -> Ended {
        let status = tokio::time::timeout(2 * PATIENCE, self.child.wait()).await.expect("it ends").unwrap();
        let mut stdout = String::new();
        self.stdout.read_to_string(&mut stdout).await.unwrap();
        self.stderr_ended.await.unwrap();
        let stderr = self.stderr.lock().unwrap().clone();
        Ended { code: status.code(), stdout, stderr }
    }

    /// SIGTERM, and waits for its end.
    pub(crate) async fn stop(self) -> Ended {
        self.signal("TERM").await;
        self.ended().await
    }
}

/// Makes a module for each kind of store, with a test for each of these flows.
macro_rules! on_each_store {
    ($($flow:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $flow() {
                super::$flow(&crate::fixture::Folder::new()).await;
            })+
        }

        mod on_redis {
            $(#[tokio::test]
            async fn $flow() {
                let Some(folder) = crate::fixture::Folder::on_redis() else { return };
                super::$flow(&folder).await;
            })+
        }

        mod on_redis_cluster {
            $(#[tokio::test]
            async fn $flow() {
                let Some(folder) = crate::fixture::Folder::on_redis_cluster() else { return };
                super::$flow(&folder).await;
            })+
        }
    };
}
pub(crate) use on_each_store;

fn database(files: &TempDir) -> PathBuf {
    files.path().join("notify.db")
}

/// Runs `host` to its end.
pub(crate) async fn run(options: &[&str]) -> Ended {
    let output = tokio::time::timeout(PATIENCE, program().args(options).output()).await.expect("it ends").unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// The item's status is this.
pub(crate) fn is(status: &'static str) -> impl Fn(&Value) -> bool {
    move |value| value["status"] == status
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_host"));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .env_remove("RUST_LOG");
    command
}
