//! Sends the sample events to three receivers on this computer, and shows every delivery as it changes.
//!
//! `--once` ends when everything has settled, and exits 0 if all of it went as it must: a smoke test.
//! `--plain` prints one line per change, as it does by itself when standard output is no terminal.

use std::process::ExitCode;

use notify_examples::demo::{self, Options};

#[tokio::main]
async fn main() -> ExitCode {
    let options = match Options::parse(std::env::args_os().skip(1)) {
        Ok(options) => options,
        Err(refusal) => return refuse(&refusal),
    };
    match demo::run(&options).await {
        Ok(demo::Verdict::AsExpected) => ExitCode::SUCCESS,
        Ok(demo::Verdict::Unexpected) => ExitCode::FAILURE,
        Err(error) => refuse(&error.to_string()),
    }
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("demo: {why}");
    ExitCode::from(2)
}
