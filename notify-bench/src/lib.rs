//! Benchmarks of notify, each beside a bare HTTP client that is measured in the same run.
//!
//! Rates on a shared machine change several times over from minute to minute, so no rate is shown alone: `bench
//! end-to-end` measures notify and a bare hyper-util client in turn, on the same work, against the same kind of
//! sink, and reports their ratio. Sink, bare client and engine are processes of their own, so that neither CPU time
//! nor peak memory of one is counted for another. `docs/performance.md` tells how to run and read them.
//!
//! Reads `/proc`, so it runs on Linux only.

use std::io::Write;
use std::process::ExitCode;

pub mod bare;
pub mod calls;
pub mod child;
pub mod command;
pub mod dashboard;
pub mod end_to_end;
pub mod engine_run;
pub mod error;
pub mod idle;
pub mod idle_run;
pub mod place;
pub mod process;
pub mod report;
pub mod sink;
pub mod sink_client;
pub mod storage;
pub mod workload;

use child::Job;
use command::{Command, Output};
use error::BenchError;

/// Runs the program on the process's arguments; what it measured goes to standard output, failures to standard
/// error.
#[must_use]
pub fn main() -> ExitCode {
    match Command::from_arguments(std::env::args_os().skip(1)).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {}", error.with_causes());
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), BenchError> {
    let mut runtime = match command {
        // The sink takes at most one core from the client that is measured. An idle engine on one thread wakes up
        // for itself alone: the runtime's workers wake one another too, which is the host's choice of runtime.
        Command::Sink(_) | Command::Child(Job::Idle(_)) => tokio::runtime::Builder::new_current_thread(),
        Command::Help
        | Command::EndToEnd(..)
        | Command::Bare(..)
        | Command::Idle(..)
        | Command::Dashboard(..)
        | Command::Child(_) => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = runtime.enable_all().build().map_err(BenchError::io("cannot start the runtime"))?;
    runtime.block_on(async {
        match command {
            Command::Help => print(command::HELP),
            Command::EndToEnd(plan, output) => show(&end_to_end::run(&plan).await?, output),
            Command::Bare(plan, output) => show(&end_to_end::run_bare(&plan).await?, output),
            Command::Idle(plan, output) => show(&idle::run(&plan).await?, output),
            Command::Dashboard(plan, output) => show(&dashboard::run(&plan).await?, output),
            Command::Sink(secret) => sink::run(&secret).await,
            Command::Child(job) => print(&job.run().await?),
        }
    })
}

fn show<R: serde::Serialize + std::fmt::Display>(report: &R, output: Output) -> Result<(), BenchError> {
    match output {
        Output::Text => print(&report.to_string()),
        Output::Json => print(&serde_json::to_string(report).map_err(BenchError::Json)?),
    }
}

fn print(text: &str) -> Result<(), BenchError> {
    writeln!(std::io::stdout(), "{}", text.trim_end()).map_err(BenchError::io("cannot write to standard output"))
}
