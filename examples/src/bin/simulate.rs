//! Prints what a retry schedule makes of a receiver: `simulate --replies 503@2min,500,200 --heed-retry-after 1h`, or of
//! one that a seed draws: `simulate --seed 7 --schedule 1min,10min`.
//!
//! | option | default |
//! | --- | --- |
//! | `--seed` | 0: draws a receiver |
//! | `--replies` | none: statuses, each with the Retry-After it comes with behind an `@`, or `timeout`; the last one is met again |
//! | `--schedule` | the contract's delays |
//! | `--timeout` | 30s: an attempt's deadline |
//! | `--success` | `exactly-200`; or `any-2xx` |
//! | `--heed-retry-after` | not at all; else up to so long |
//! | `--jitter` | 0: up to so many percent more, by a hash of the delivery |
//!
//! What is printed depends on the options alone. Leaves out the engine: crashes, outages and clocks are the
//! simulator's, `notify_core::testing::sim`.

use std::fmt::Display;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use lexopt::prelude::{Long, ValueExt};
use notify_core::retry::{Jitter, RetryAfterRule};
use notify_core::testing::{Behaviour, Timeline, drawn_receiver, in_turn};
use notify_core::{Policy, RetrySchedule, SuccessRule, Timestamp};

type Failed = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match timeline(lexopt::Parser::from_env()) {
        Ok(timeline) => {
            println!("{timeline}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("simulate: {error}");
            ExitCode::from(2)
        }
    }
}

fn timeline(mut parser: lexopt::Parser) -> Result<Timeline, Failed> {
    let (mut seed, mut replies, mut policy) = (0, Vec::new(), Policy::default());
    while let Some(option) = parser.next()? {
        let Long(name) = option else { return Err(option.unexpected().into()) };
        let name = name.to_owned();
        let known = ["seed", "replies", "schedule", "timeout", "success", "heed-retry-after", "jitter"]
            .contains(&name.as_str());
        if !known {
            return Err(Long(&name).unexpected().into());
        }
        let text = parser.value()?.string()?;
        match name.as_str() {
            "seed" => seed = read(&name, &text)?,
            "replies" => {
                replies = text.split(',').map(|reply| read::<Behaviour>(&name, reply)).collect::<Result<_, _>>()?;
            }
            "schedule" => policy.schedule = read(&name, &text)?,
            "timeout" => policy.timeout = span(&name, &text)?,
            "success" => {
                policy.success = match text.as_str() {
                    "exactly-200" => SuccessRule::Exactly200,
                    "any-2xx" => SuccessRule::Any2xx,
                    _ => return Err(refused(&name, format!("{text:?} is neither exactly-200 nor any-2xx"))),
                }
            }
            "heed-retry-after" => policy.retry_after = RetryAfterRule::UpTo(span(&name, &text)?),
            _ => {
                let percent = text.parse().ok().and_then(Jitter::percent);
                policy.jitter = percent
                    .ok_or_else(|| refused(&name, format!("{text:?} is no whole number of percent from 0 to 100")))?;
            }
        }
    }
    policy.check()?;
    let first: Timestamp = "2026-01-01T00:00:00Z".parse()?;
    Ok(if replies.is_empty() {
        Timeline::of(&policy, first, drawn_receiver(seed))
    } else {
        Timeline::of(&policy, first, in_turn(replies))
    })
}

fn refused(option: &str, why: impl Display) -> Failed {
    format!("--{option}: {why}").into()
}

fn read<T: FromStr<Err: Display>>(option: &str, text: &str) -> Result<T, Failed> {
    text.parse().map_err(|error| refused(option, format!("{text:?}: {error}")))
}

/// A time as a schedule writes its delays: `30s`, `2min`, `1h`.
fn span(option: &str, text: &str) -> Result<Duration, Failed> {
    let delays: RetrySchedule = text.parse().map_err(|error| refused(option, error))?;
    match delays.delays() {
        [span] => Ok(*span),
        _ => Err(refused(option, format!("{text:?} is not one time: write a whole number and ms, s, min, h or d"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> Result<String, String> {
        let parser = lexopt::Parser::from_args(line.split_whitespace());
        timeline(parser).map(|timeline| timeline.to_string()).map_err(|error| error.to_string())
    }

    /// The line of the guide.
    #[test]
    fn a_busy_receiver_gets_its_pause() {
        let line = "--replies 503@2min,500,202 --schedule 1min,10min --heed-retry-after 1h --success any-2xx";
        assert_eq!(
            run(line).unwrap(),
            "2026-01-01T00:00:00.000Z  attempt 1 503 status_5xx, took 0 ms: answered 503; this endpoint requires a 2xx\n\
             2026-01-01T00:02:00.000Z  attempt 2 500 status_5xx, took 0 ms: answered 500; this endpoint requires a 2xx\n\
             2026-01-01T00:12:00.000Z  attempt 3 202 success, took 0 ms\n\
             2026-01-01T00:12:00.000Z  delivered after 720 s"
        );
    }

    #[test]
    fn what_is_printed_depends_on_the_options_alone() {
        for line in ["", "--seed 7", "--seed 7 --jitter 10", "--replies timeout,429@1h --timeout 5s"] {
            assert_eq!(run(line).unwrap(), run(line).unwrap(), "{line}");
        }
        assert_ne!(run("--seed 7").unwrap(), run("--seed 8").unwrap());
        assert_ne!(run("--replies 500").unwrap(), run("--replies 500 --jitter 10").unwrap());
    }

    #[test]
    fn bad_options_are_refused_with_their_name_and_what_is_right() {
        for (line, says) in [
            ("--seed x", "--seed: \"x\""),
            ("--replies 503@soon", "--replies: \"503@soon\""),
            ("--replies 200,,", "write a status"),
            ("--schedule soon", "--schedule: \"soon\""),
            ("--timeout 5", "--timeout: \"5\" is no delay: write a whole number and ms"),
            ("--timeout 1s,2s", "--timeout: \"1s,2s\" is not one time"),
            ("--success maybe", "--success: \"maybe\" is neither exactly-200 nor any-2xx"),
            ("--heed-retry-after x", "--heed-retry-after: \"x\" is no delay"),
            ("--jitter 101", "--jitter: \"101\" is no whole number of percent from 0 to 100"),
            ("--jitter", "missing argument for option '--jitter'"),
            ("--fast", "invalid option '--fast'"),
            ("7", "unexpected argument"),
        ] {
            let refused = run(line).unwrap_err();
            assert!(refused.contains(says), "{line}: {refused}");
        }
    }
}
