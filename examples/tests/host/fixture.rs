//! The `host` program as a child process, in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};

use crate::http::{Answer, request};

/// Long enough for a loaded machine; nothing waits that long when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A folder with a database file that outlives the hosts that use it.
#[derive(Debug)]
pub(crate) struct Folder(TempDir);

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
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.0.path().join("notify.db")
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Starts a host on this folder's file that may reach loopback.
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
        let store = format!("sqlite:{}", self.database().display());
        let mut command = program();
        command.args(["--listen", "127.0.0.1:0", "--store", &store]);
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
