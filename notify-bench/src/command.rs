//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::*;

use crate::child::Job;
use crate::dashboard::DashboardPlan;
use crate::end_to_end::{BarePlan, EndToEndPlan};
use crate::error::BenchError;
use crate::idle::IdlePlan;
use crate::storage::{Storage, Sync};

/// What `bench --help` says.
pub const HELP: &str = "\
Benchmarks of notify, each beside a bare HTTP client in the same run. Build with --release.

bench end-to-end [--store memory|sqlite|redis] [--sync normal|full] [--events 20000] [--publishers 64]
                 [--in-flight 64] [--bare-requests 5 x events] [--runs 3] [--dir DIR] [--json]
bench bare       [--bare-requests 100000] [--in-flight 64] [--runs 3] [--json]
bench idle       [--store memory|sqlite|redis] [--sync normal|full] [--pending 1000000] [--seconds 30]
                 [--dir DIR] [--json]
bench dashboard  [--deliveries 1000000] [--requests 50] [--dir DIR] [--json]

--store and --sync default to sqlite and full; redis needs redis-server, and starts one of its own.
--dir is where databases go while they are measured; it defaults to the system's directory for
temporary files, which must not be a memory file system.

bench sink --secret S   serves a sink until standard input ends (end-to-end starts its own)
";

/// What to do.
#[derive(Clone, Debug)]
pub enum Command {
    /// Explain.
    Help,
    /// notify beside the bare client.
    EndToEnd(EndToEndPlan, Output),
    /// The bare client.
    Bare(BarePlan, Output),
    /// An engine with nothing due.
    Idle(IdlePlan, Output),
    /// The dashboard's pages over many deliveries.
    Dashboard(DashboardPlan, Output),
    /// Be a sink, with this secret.
    Sink(String),
    /// Do one job for the process that started this one.
    Child(Job),
}

/// How figures are shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Output {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

impl Command {
    /// Reads the arguments, without the program's name.
    ///
    /// # Errors
    /// [`BenchError::Arguments`].
    pub fn from_arguments<I>(arguments: I) -> Result<Self, BenchError>
    where
        I: IntoIterator,
        I::Item: Into<OsString>,
    {
        parse(lexopt::Parser::from_args(arguments)).map_err(BenchError::Arguments)
    }
}

fn parse(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let name = match parser.next()? {
        None | Some(Short('h') | Long("help")) => return Ok(Command::Help),
        Some(Value(name)) => name.string()?,
        Some(other) => return Err(other.unexpected()),
    };
    let allowed: &[&str] = match name.as_str() {
        "end-to-end" => &["store", "sync", "events", "publishers", "in-flight", "bare-requests", "runs", "dir", "json"],
        "bare" => &["bare-requests", "in-flight", "runs", "json"],
        "idle" => &["store", "sync", "pending", "seconds", "dir", "json"],
        "dashboard" => &["deliveries", "requests", "dir", "json"],
        "sink" => &["secret"],
        "child" => &["job"],
        _ => return Err(format!("no command {name:?}").into()),
    };
    let options = Options::read(&mut parser, allowed)?;
    Ok(match name.as_str() {
        "end-to-end" => Command::EndToEnd(options.end_to_end()?, options.output),
        "bare" => Command::Bare(options.bare(100_000), options.output),
        "idle" => Command::Idle(options.idle()?, options.output),
        "dashboard" => Command::Dashboard(options.dashboard(), options.output),
        "sink" => Command::Sink(options.secret.ok_or("sink needs --secret")?),
        _ => Command::Child(options.job.ok_or("child needs --job")?),
    })
}

/// All options of all commands, as far as they were given.
struct Options {
    store: Option<String>,
    sync: Option<Sync>,
    directory: Option<PathBuf>,
    events: Option<u64>,
    publishers: Option<u32>,
    in_flight: Option<u32>,
    bare_requests: Option<u64>,
    runs: Option<u32>,
    pending: Option<u64>,
    seconds: Option<u64>,
    deliveries: Option<u64>,
    requests: Option<u32>,
    secret: Option<String>,
    job: Option<Job>,
    output: Output,
}

impl Options {
    fn read(parser: &mut lexopt::Parser, allowed: &[&str]) -> Result<Self, lexopt::Error> {
        let mut options = Self {
            store: None,
            sync: None,
            directory: None,
            events: None,
            publishers: None,
            in_flight: None,
            bare_requests: None,
            runs: None,
            pending: None,
            seconds: None,
            deliveries: None,
            requests: None,
            secret: None,
            job: None,
            output: Output::Text,
        };
        while let Some(argument) = parser.next()? {
            let name = match argument {
                Long(name) if allowed.contains(&name) => name.to_owned(),
                Short(_) | Long(_) | Value(_) => return Err(argument.unexpected()),
            };
            match name.as_str() {
                "json" => options.output = Output::Json,
                "store" => options.store = Some(parser.value()?.string()?),
                "sync" => options.sync = Some(parser.value()?.parse_with(sync)?),
                "dir" => options.directory = Some(parser.value()?.into()),
                "events" => options.events = Some(parser.value()?.parse()?),
                "publishers" => options.publishers = Some(parser.value()?.parse()?),
                "in-flight" => options.in_flight = Some(parser.value()?.parse()?),
                "bare-requests" => options.bare_requests = Some(parser.value()?.parse()?),
                "runs" => options.runs = Some(parser.value()?.parse()?),
                "pending" => options.pending = Some(parser.value()?.parse()?),
                "seconds" => options.seconds = Some(parser.value()?.parse()?),
                "deliveries" => options.deliveries = Some(parser.value()?.parse()?),
                "requests" => options.requests = Some(parser.value()?.parse()?),
                "secret" => options.secret = Some(parser.value()?.string()?),
                _ => options.job = Some(parser.value()?.parse_with(|text| serde_json::from_str(text))?),
            }
        }
        Ok(options)
    }

    fn end_to_end(&self) -> Result<EndToEndPlan, lexopt::Error> {
        let events = self.events.unwrap_or(20_000);
        Ok(EndToEndPlan {
            storage: self.storage()?,
            directory: self.directory(),
            events,
            publishers: self.publishers.unwrap_or(64),
            // The bare client is several times as fast: with more requests, both sides run for about as long.
            bare: self.bare(events.saturating_mul(5)),
        })
    }

    fn bare(&self, requests: u64) -> BarePlan {
        BarePlan {
            requests: self.bare_requests.unwrap_or(requests),
            in_flight: self.in_flight.unwrap_or(64),
            runs: self.runs.unwrap_or(3),
        }
    }

    fn idle(&self) -> Result<IdlePlan, lexopt::Error> {
        Ok(IdlePlan {
            storage: self.storage()?,
            directory: self.directory(),
            pending: self.pending.unwrap_or(1_000_000),
            seconds: self.seconds.unwrap_or(30),
        })
    }

    fn dashboard(&self) -> DashboardPlan {
        DashboardPlan {
            directory: self.directory(),
            deliveries: self.deliveries.unwrap_or(1_000_000),
            requests: self.requests.unwrap_or(50),
        }
    }

    fn storage(&self) -> Result<Storage, lexopt::Error> {
        match (self.store.as_deref(), self.sync) {
            (Some("memory"), None) => Ok(Storage::Memory),
            (Some("redis"), None) => Ok(Storage::Redis),
            (Some("memory" | "redis"), Some(_)) => Err("--sync is for sqlite".into()),
            (None | Some("sqlite"), sync) => Ok(Storage::Sqlite { sync: sync.unwrap_or(Sync::Full) }),
            (Some(other), _) => Err(format!("no store {other:?}: memory, sqlite or redis").into()),
        }
    }

    fn directory(&self) -> PathBuf {
        self.directory.clone().unwrap_or_else(std::env::temp_dir)
    }
}

fn sync(text: &str) -> Result<Sync, &'static str> {
    match text {
        "normal" => Ok(Sync::Normal),
        "full" => Ok(Sync::Full),
        _ => Err("normal or full"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Command, BenchError> {
        Command::from_arguments(line.split_ascii_whitespace())
    }

    #[test]
    fn end_to_end_without_options_measures_sqlite_at_its_safest() {
        let Ok(Command::EndToEnd(plan, Output::Text)) = read("end-to-end") else { panic!("not end-to-end") };
        assert_eq!(plan.storage, Storage::Sqlite { sync: Sync::Full });
        assert_eq!((plan.events, plan.publishers), (20_000, 64));
        assert_eq!(plan.bare, BarePlan { requests: 100_000, in_flight: 64, runs: 3 });
    }

    #[test]
    fn options_are_taken() {
        let line = "end-to-end --store memory --events 7 --publishers 2 --in-flight 3 --runs 1 --json";
        let Ok(Command::EndToEnd(plan, Output::Json)) = read(line) else { panic!("not end-to-end") };
        assert_eq!((plan.storage, plan.events, plan.publishers), (Storage::Memory, 7, 2));
        assert_eq!(plan.bare, BarePlan { requests: 35, in_flight: 3, runs: 1 });
        let Ok(Command::Idle(plan, Output::Text)) = read("idle --sync=normal --pending 5 --seconds 6") else {
            panic!("not idle")
        };
        assert_eq!((plan.storage, plan.pending, plan.seconds), (Storage::Sqlite { sync: Sync::Normal }, 5, 6));
        let Ok(Command::Dashboard(plan, Output::Text)) = read("dashboard --deliveries 7") else {
            panic!("not dashboard")
        };
        assert_eq!((plan.deliveries, plan.requests), (7, 50));
    }

    #[test]
    fn nonsense_is_refused_and_nothing_is_ignored() {
        for line in [
            "fly",
            "--json",
            "end-to-end more",
            "end-to-end --pending 5",
            "end-to-end --events many",
            "end-to-end --store memory --sync full",
            "end-to-end --store redis --sync full",
            "end-to-end --store paper",
            "idle --sync off",
            "bare --store memory",
            "dashboard --store memory",
            "sink",
            "child --job {}",
        ] {
            assert!(matches!(read(line), Err(BenchError::Arguments(_))), "{line}");
        }
        assert!(matches!(read(""), Ok(Command::Help)));
    }
}
