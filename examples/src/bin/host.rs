//! Shows how a service embeds notify: options, a store, an engine, a router, and a clean stop.
//!
//! Leaves out what a real service has of its own: authentication, TLS, and tenants that come from a login.

use std::process::ExitCode;

use notify_examples::host::{Options, serve};

#[tokio::main]
async fn main() -> ExitCode {
    let options = match Options::parse(std::env::args_os().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{}", Options::USAGE);
            return ExitCode::SUCCESS;
        }
        Err(refusal) => return refuse(&refusal),
    };
    match serve(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => refuse(&refusal),
    }
}

fn refuse(refusal: &str) -> ExitCode {
    eprintln!("host: {refusal}");
    ExitCode::from(2)
}
