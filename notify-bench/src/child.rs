//! Jobs that run in a process of their own, so that each one's CPU time and peak memory are its alone.

use std::process::Stdio;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::bare::{self, BareJob};
use crate::end_to_end::NotifyJob;
use crate::engine_run;
use crate::error::BenchError;
use crate::idle::IdleJob;
use crate::idle_run;

/// A job, handed over as one JSON argument.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    /// The bare client; answers [`RunFigures`](crate::report::RunFigures).
    Bare(BareJob),
    /// notify on the same work; answers [`RunFigures`](crate::report::RunFigures).
    Notify(NotifyJob),
    /// An engine with nothing due; answers [`IdleFigures`](crate::idle::IdleFigures).
    Idle(IdleJob),
}

impl Job {
    /// Does the job in this process, and answers its figures as JSON.
    ///
    /// # Errors
    /// The job's own.
    pub async fn run(&self) -> Result<String, BenchError> {
        match self {
            Self::Bare(job) => to_json(&bare::run(job).await?),
            Self::Notify(job) => to_json(&engine_run::run(job).await?),
            Self::Idle(job) => to_json(&idle_run::run(job).await?),
        }
    }

    /// Starts this very program again for the job, waits for its end, and answers its figures.
    ///
    /// # Errors
    /// The process cannot be started, or failed: it has told why on standard error.
    ///
    /// # Cancel safety
    /// The process is killed when the future is dropped.
    pub async fn in_child<R: DeserializeOwned>(&self) -> Result<R, BenchError> {
        let program = std::env::current_exe().map_err(BenchError::io("cannot find this program"))?;
        let output = tokio::process::Command::new(program)
            .args(["child", "--job", &to_json(self)?])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(BenchError::io("cannot start a measuring process"))?
            .wait_with_output()
            .await
            .map_err(BenchError::io("cannot read from a measuring process"))?;
        if !output.status.success() {
            return Err(BenchError::Child { what: self.what(), status: output.status.to_string() });
        }
        serde_json::from_slice(&output.stdout).map_err(BenchError::Json)
    }

    const fn what(&self) -> &'static str {
        match self {
            Self::Bare(_) => "bare client",
            Self::Notify(_) => "notify",
            Self::Idle(_) => "idle engine",
        }
    }
}

fn to_json<T: Serialize>(value: &T) -> Result<String, BenchError> {
    serde_json::to_string(value).map_err(BenchError::Json)
}
