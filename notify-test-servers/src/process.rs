//! A server's process.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::StartError;

/// Waits for the end of its standard input, and then ends the server. A test that is killed drops nothing, and neither
/// does a static; but the pipe closes with the process.
const WATCHER: &str = r#""$@" & server=$!; read -r _; kill -9 "$server"; wait "$server""#;

/// A running server, killed when this is dropped and when the process that started it is gone.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// Starts `program` in `folder`.
    pub(crate) fn start(program: &'static str, arguments: &[String], folder: &Path) -> Result<Self, StartError> {
        let io = |source| StartError::Io { program, folder: folder.to_owned(), source };
        let quiet = |command: &mut Command| {
            command.stdout(Stdio::null()).stderr(Stdio::null()).current_dir(folder);
        };
        let mut probe = Command::new(program);
        quiet(&mut probe);
        match probe.arg("--version").stdin(Stdio::null()).status() {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(StartError::Missing { program }),
            Err(error) => return Err(io(error)),
            Ok(_) => {}
        }
        let mut shell = Command::new("sh");
        quiet(&mut shell);
        shell.args(["-c", WATCHER, "sh", program]).args(arguments).stdin(Stdio::piped());
        shell.spawn().map(Self).map_err(io)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // Nothing can be done about a shell that cannot be waited for, and a panic here would hide the test's own.
        let _ = self.0.wait();
    }
}
