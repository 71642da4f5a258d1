//! The command line.

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use lexopt::ValueExt;
use notify_core::RetrySchedule;

/// What the command line says.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the API listens; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Where events are kept.
    pub store: StoreChoice,
    /// Delays between attempts; `None` = the contract's.
    pub schedule: Option<RetrySchedule>,
    /// One attempt's whole deadline; `None` = the engine's default.
    pub timeout: Option<Duration>,
    /// Address ranges that the network guard lets through.
    pub allow: Vec<String>,
    /// Attempts at once; `None` = the engine's default.
    pub max_in_flight: Option<u32>,
    /// Attempts at once to one endpoint; `None` = the engine's default.
    pub per_endpoint: Option<u32>,
    /// Certificates to trust beside the usual roots.
    pub extra_roots: Vec<PathBuf>,
    /// Whether the dashboard is mounted.
    pub dashboard: DashboardChoice,
    /// How log lines look.
    pub log: LogFormat,
}

/// Whether the dashboard is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DashboardChoice {
    /// It is not.
    Off,
    /// At `/notify`, for this computer alone.
    Loopback,
}

/// A store that is built into this host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum StoreChoice {
    /// A file.
    Sqlite(PathBuf),
    /// Nothing outlives the process.
    Memory,
    /// A Redis server, a cluster, or what Sentinel watches.
    Redis(RedisUrl),
}

/// Where Redis is. `Debug` shows the scheme alone: the rest may hold a password.
#[derive(Clone, Eq, PartialEq)]
pub struct RedisUrl(String);

impl RedisUrl {
    /// The whole URL, its password included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.0.split(':').next().unwrap_or_default();
        write!(f, "{scheme}://****")
    }
}

/// How log lines look on standard error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl Options {
    /// What `--help` prints.
    pub const USAGE: &'static str = "\
host: an HTTP service that embeds notify

  --listen ADDR:PORT   where its API listens; port 0 picks a free one   [127.0.0.1:3000]
  --store URL          sqlite:PATH, memory:, or redis://, rediss://, redis-cluster://, redis-sentinel://
                                                                        [sqlite:notify.db]
  --schedule LIST      retry delays, as 200ms,1s,5min,2h; or none       [5min,30min,2h,5h,10h]
  --timeout DUR        one attempt's whole deadline                     [30s]
  --allow CIDR         opens an address range, and plain http to it; repeatable
  --max-in-flight N    attempts at once                                 [256]
  --per-endpoint N     attempts at once to one endpoint                 [8]
  --extra-root FILE    PEM certificate to trust beside the usual roots; repeatable
  --dashboard          mounts the dashboard at /notify, for this computer alone
  --json-log           log lines as JSON on standard error";

    /// Reads the arguments; `None` means that help was asked for.
    ///
    /// # Errors
    /// One line that names the option and what is wrong with it.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<Self>, String> {
        let mut options = Self::default();
        let mut parser = lexopt::Parser::from_args(arguments);
        while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
            match argument {
                lexopt::Arg::Long("listen") => options.listen = read(&mut parser, "listen")?,
                lexopt::Arg::Long("store") => options.store = read(&mut parser, "store")?,
                lexopt::Arg::Long("schedule") => options.schedule = Some(read(&mut parser, "schedule")?),
                lexopt::Arg::Long("timeout") => options.timeout = Some(read::<OneDelay>(&mut parser, "timeout")?.0),
                lexopt::Arg::Long("allow") => options.allow.push(read(&mut parser, "allow")?),
                lexopt::Arg::Long("max-in-flight") => options.max_in_flight = Some(read(&mut parser, "max-in-flight")?),
                lexopt::Arg::Long("per-endpoint") => options.per_endpoint = Some(read(&mut parser, "per-endpoint")?),
                lexopt::Arg::Long("extra-root") => options.extra_roots.push(read(&mut parser, "extra-root")?),
                lexopt::Arg::Long("json-log") => options.log = LogFormat::Json,
                lexopt::Arg::Long("dashboard") => options.dashboard = DashboardChoice::Loopback,
                lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => return Ok(None),
                lexopt::Arg::Long(_) | lexopt::Arg::Short(_) | lexopt::Arg::Value(_) => {
                    return Err(format!("{}; --help lists the options", argument.unexpected()));
                }
            }
        }
        Ok(Some(options))
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            store: StoreChoice::Sqlite(PathBuf::from("notify.db")),
            schedule: None,
            timeout: None,
            allow: Vec::new(),
            max_in_flight: None,
            per_endpoint: None,
            extra_roots: Vec::new(),
            dashboard: DashboardChoice::Off,
            log: LogFormat::Text,
        }
    }
}

impl FromStr for StoreChoice {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        match url.split_once(':') {
            Some(("sqlite", "")) => Err("sqlite: needs a path, as sqlite:notify.db".into()),
            Some(("sqlite", path)) => Ok(Self::Sqlite(PathBuf::from(path))),
            Some(("memory", "")) => Ok(Self::Memory),
            Some(("redis" | "rediss" | "redis-cluster" | "rediss-cluster" | "redis-sentinel", _)) => {
                Ok(Self::Redis(RedisUrl(url.to_owned())))
            }
            // The rest of the URL may hold a password: it is not repeated.
            Some((scheme @ ("postgres" | "postgresql"), _)) => {
                Err(format!("a store of kind {scheme} is not built into this host; use {STORES}"))
            }
            _ => Err(format!("not a store; use {STORES}")),
        }
    }
}

/// What refusals suggest.
const STORES: &str = "sqlite:PATH, memory: or redis://HOST:PORT";

/// One duration in the spelling of a schedule: `200ms`, `30s`, `5min`.
struct OneDelay(Duration);

impl FromStr for OneDelay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let schedule: RetrySchedule =
            text.parse().map_err(|error: notify_core::retry::InvalidSchedule| error.to_string())?;
        let [delay] = schedule.delays() else { return Err("not one duration, as 30s".into()) };
        Ok(Self(*delay))
    }
}

fn read<T: FromStr>(parser: &mut lexopt::Parser, option: &str) -> Result<T, String>
where
    T::Err: fmt::Display,
{
    let value = parser.value().map_err(|error| error.to_string())?;
    let text = value.string().map_err(|_| format!("--{option}: not valid UTF-8"))?;
    text.parse().map_err(|error| format!("--{option}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Option<Options>, String> {
        Options::parse(arguments.iter().map(OsString::from))
    }

    #[test]
    fn every_option_is_read() {
        let options = parse(&[
            "--listen",
            "127.0.0.1:0",
            "--store",
            "memory:",
            "--schedule",
            "200ms,1s",
            "--timeout",
            "2s",
            "--allow",
            "127.0.0.0/8",
            "--allow=::1/128",
            "--max-in-flight",
            "9",
            "--per-endpoint",
            "3",
            "--dashboard",
            "--json-log",
        ])
        .unwrap()
        .unwrap();
        assert_eq!(options.listen.port(), 0);
        assert_eq!(options.store, StoreChoice::Memory);
        assert_eq!(options.schedule.unwrap().attempts(), 3);
        assert_eq!(options.timeout, Some(Duration::from_secs(2)));
        assert_eq!(options.allow, ["127.0.0.0/8", "::1/128"]);
        assert_eq!((options.max_in_flight, options.per_endpoint), (Some(9), Some(3)));
        assert_eq!((options.dashboard, options.log), (DashboardChoice::Loopback, LogFormat::Json));
    }

    #[test]
    fn the_password_of_a_redis_url_is_read_and_not_shown() {
        for scheme in ["redis", "rediss", "redis-cluster", "redis-sentinel"] {
            let url = format!("{scheme}://:canary@h:1");
            let options = parse(&["--store", &url]).unwrap().unwrap();
            assert!(matches!(&options.store, StoreChoice::Redis(read) if read.as_str() == url));
            assert!(!format!("{options:?}").contains("canary"), "{options:?}");
        }
    }

    #[test]
    fn what_is_not_built_in_or_not_known_is_refused_in_one_line_without_its_password() {
        for bad in [
            &["--store", "postgres://u:canary@h/db"][..],
            &["--store", "canary"],
            &["--store", "sqlite:"],
            &["--timeout", "1s,2s"],
            &["--timeout", "none"],
            &["--schedule", "soon"],
            &["--per-endpoint", "-1"],
            &["--listen", "localhost"],
            &["--listen"],
            &["--frobnicate"],
            &["extra"],
        ] {
            let refusal = parse(bad).unwrap_err();
            assert!(!refusal.contains('\n') && !refusal.contains("canary"), "{bad:?}: {refusal}");
        }
    }
}
