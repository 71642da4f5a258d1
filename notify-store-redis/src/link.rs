//! One connection to whoever leads: made again when it is lost, or when its server turned out to be a replica.
//!
//! Every script may be repeated, so a lost answer is cured by asking again.

use std::fmt;
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection, PubSub};
use redis::{AsyncConnectionConfig, Client, Cmd, RedisError, RedisResult, Value};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::OpenError;
use crate::builder::RedisBuilder;
use crate::error::{Cure, cure};
use crate::script::Script;
use crate::source::{self, Source};

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// What to wait for after a write.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ack {
    Replicas(u8),
    Fsync { local: u8, replicas: u8 },
}

#[derive(Clone)]
enum Connection {
    Node(MultiplexedConnection),
    #[cfg(feature = "cluster")]
    Cluster(redis::cluster_async::ClusterConnection),
}

/// How a script is sent.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Form {
    Digest,
    Text,
}

impl Form {
    const fn command(self) -> &'static str {
        match self {
            Self::Digest => "EVALSHA",
            Self::Text => "EVAL",
        }
    }
}

/// The connection, its number, and how to make the next one.
pub(crate) struct Link {
    source: Source,
    slot: Mutex<(u64, Option<Connection>)>,
    response_timeout: Duration,
    patience: Duration,
}

impl fmt::Debug for Link {
    /// Without the address, whose URL may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("response_timeout", &self.response_timeout).finish_non_exhaustive()
    }
}

impl Link {
    pub(crate) fn new(builder: &RedisBuilder) -> Result<Self, OpenError> {
        Ok(Self {
            source: source::find(builder)?,
            slot: Mutex::new((0, None)),
            response_timeout: builder.response_timeout,
            patience: builder.patience,
        })
    }

    pub(crate) const fn is_cluster(&self) -> bool {
        match self.source {
            Source::Node(_) => false,
            #[cfg(feature = "cluster")]
            Source::Cluster(..) => true,
            #[cfg(feature = "sentinel")]
            Source::Sentinel(_) => false,
        }
    }

    /// Runs a script over the shard whose `meta` is `key`.
    pub(crate) async fn run(&self, script: &Script, key: &str, args: &[Vec<u8>]) -> RedisResult<Value> {
        self.run_on(script, key, args).await.map(|(_, answer)| answer)
    }

    /// The same, and the number of the connection that answered.
    async fn run_on(&self, script: &Script, key: &str, args: &[Vec<u8>]) -> RedisResult<(u64, Value)> {
        self.persist(|form| self.call(script, key, args, form)).await
    }

    /// Reads fields of a hash.
    pub(crate) async fn read(&self, key: &str, fields: &[&str]) -> RedisResult<Value> {
        let mut cmd = redis::cmd("HMGET");
        cmd.arg(key).arg(fields);
        self.persist(|_| cmd.clone()).await.map(|(_, answer)| answer)
    }

    /// Sends a command that may be repeated until there is an answer, or patience is at its end; with the answer comes
    /// the number of the connection that gave it.
    async fn persist(&self, build: impl Fn(Form) -> Cmd + Send) -> RedisResult<(u64, Value)> {
        let mut form = Form::Digest;
        let end = Instant::now() + self.patience;
        let mut pause = FIRST_PAUSE;
        loop {
            let cmd = build(form);
            let (number, answer) = self.once(&cmd, end).await;
            let error = match answer {
                Ok(value) => return Ok((number, value)),
                Err(error) => error,
            };
            match cure(&error) {
                Cure::SendScript if form == Form::Digest => {
                    form = Form::Text;
                    continue;
                }
                // A cluster's connection finds its nodes again by itself, and other shards are using it.
                Cure::Reconnect if !self.is_cluster() => self.drop_connection(number).await,
                Cure::Reconnect => {}
                Cure::Wait => {}
                Cure::SendScript | Cure::Full | Cure::None => return Err(error),
            }
            if Instant::now() + pause >= end {
                return Err(error);
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Runs a script, then waits on the same connection until the write is as safe as `ack` says. The connection must
    /// serve nobody else: waiting blocks it.
    pub(crate) async fn run_safely(
        &self,
        script: &Script,
        key: &str,
        args: &[Vec<u8>],
        ack: Ack,
    ) -> RedisResult<Value> {
        let (written_on, answer) = self.run_on(script, key, args).await?;
        let millis = u64::try_from(self.response_timeout.as_millis() / 2).unwrap_or(u64::MAX);
        let (cmd, wanted) = match ack {
            Ack::Replicas(replicas) => (redis::cmd("WAIT").arg(replicas).arg(millis).to_owned(), (0, replicas)),
            Ack::Fsync { local, replicas } => {
                (redis::cmd("WAITAOF").arg(local).arg(replicas).arg(millis).to_owned(), (local, replicas))
            }
        };
        let (asked_on, acked) = self.once(&cmd, Instant::now() + self.response_timeout).await;
        if asked_on != written_on {
            // The server answers for what this connection wrote, and a new one has written nothing.
            let text = "the connection was lost before a server confirmed it".to_owned();
            return Err(redis::make_extension_error("NOREPLICAS".to_owned(), Some(text)));
        }
        let got = match acked? {
            Value::Array(counts) => (count(counts.first()), count(counts.get(1))),
            other => (0, count(Some(&other))),
        };
        if got.0 < i64::from(wanted.0) || got.1 < i64::from(wanted.1) {
            let text = format!("{} of {} servers confirmed it in time", got.0 + got.1, wanted.0 + wanted.1);
            return Err(redis::make_extension_error("NOREPLICAS".to_owned(), Some(text)));
        }
        Ok(answer)
    }

    /// One command that may be repeated.
    pub(crate) async fn ask(&self, cmd: &Cmd) -> RedisResult<Value> {
        self.persist(|_| cmd.clone()).await.map(|(_, answer)| answer)
    }

    /// A connection of its own that hears what is published on a channel: from the primary, or any node of a cluster.
    pub(crate) async fn subscribe(&self, channel: &str) -> RedisResult<PubSub> {
        match &self.source {
            Source::Node(client) => self.subscribe_to(client, channel).await,
            #[cfg(feature = "cluster")]
            Source::Cluster(_, nodes) => {
                let mut answer = Err(timed_out());
                for node in nodes {
                    answer = self.subscribe_to(node, channel).await;
                    if answer.is_ok() {
                        break;
                    }
                }
                answer
            }
            #[cfg(feature = "sentinel")]
            Source::Sentinel(client) => {
                let asked = async { client.lock().await.async_get_client().await };
                let primary = timeout(self.response_timeout, asked).await.unwrap_or_else(|_| Err(timed_out()))?;
                self.subscribe_to(&primary, channel).await
            }
        }
    }

    async fn subscribe_to(&self, client: &Client, channel: &str) -> RedisResult<PubSub> {
        let subscribe = async {
            let mut subscription = client.get_async_pubsub().await?;
            subscription.subscribe(channel).await?;
            Ok(subscription)
        };
        timeout(self.response_timeout, subscribe).await.unwrap_or_else(|_| Err(timed_out()))
    }

    pub(crate) const fn response_timeout(&self) -> Duration {
        self.response_timeout
    }

    fn call(&self, script: &Script, key: &str, args: &[Vec<u8>], form: Form) -> Cmd {
        let mut cmd = redis::cmd(form.command());
        cmd.arg(match form {
            Form::Digest => script.digest(),
            Form::Text => script.text(),
        })
        .arg(1)
        .arg(key);
        cmd.arg(if self.is_cluster() { "cluster" } else { "node" });
        for arg in args {
            cmd.arg(&arg[..]);
        }
        cmd
    }

    async fn once(&self, cmd: &Cmd, end: Instant) -> (u64, RedisResult<Value>) {
        let (number, connection) = match self.connection(end).await {
            (number, Ok(connection)) => (number, connection),
            (number, Err(error)) => return (number, Err(error)),
        };
        let answer = match connection {
            Connection::Node(mut node) => node.req_packed_command(cmd).await,
            #[cfg(feature = "cluster")]
            Connection::Cluster(mut cluster) => cluster.req_packed_command(cmd).await,
        };
        // An error inside the answer is an error of the call.
        (number, answer.and_then(Value::extract_error))
    }

    async fn connection(&self, end: Instant) -> (u64, RedisResult<Connection>) {
        let mut slot = self.slot.lock().await;
        if let Some(connection) = &slot.1 {
            return (slot.0, Ok(connection.clone()));
        }
        slot.0 += 1;
        let made = timeout_at(end, self.connect()).await;
        let made = made.unwrap_or_else(|_| Err(timed_out()));
        if let Ok(connection) = &made {
            slot.1 = Some(connection.clone());
        }
        (slot.0, made)
    }

    async fn connect(&self) -> RedisResult<Connection> {
        let config = || {
            AsyncConnectionConfig::new()
                .set_connection_timeout(Some(self.response_timeout))
                .set_response_timeout(Some(self.response_timeout))
        };
        match &self.source {
            Source::Node(client) => {
                client.get_multiplexed_async_connection_with_config(&config()).await.map(Connection::Node)
            }
            #[cfg(feature = "cluster")]
            Source::Cluster(client, _) => client.get_async_connection().await.map(Connection::Cluster),
            #[cfg(feature = "sentinel")]
            Source::Sentinel(client) => {
                let mut client = client.lock().await;
                client.get_async_connection_with_config(&config()).await.map(Connection::Node)
            }
        }
    }

    /// Forgets the connection with this number; a newer one stays.
    async fn drop_connection(&self, number: u64) {
        let mut slot = self.slot.lock().await;
        if slot.0 == number {
            slot.1 = None;
        }
    }
}

fn timed_out() -> RedisError {
    RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))
}

fn count(value: Option<&Value>) -> i64 {
    match value {
        Some(Value::Int(count)) => *count,
        _ => 0,
    }
}
