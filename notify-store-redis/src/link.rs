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

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// How to find the server.
enum Source {
    Node(Box<Client>),
    #[cfg(feature = "cluster")]
    Cluster(Box<redis::cluster::ClusterClient>, Vec<Client>),
    #[cfg(feature = "sentinel")]
    Sentinel(Box<Mutex<redis::sentinel::SentinelClient>>),
}

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
            source: source(builder)?,
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

fn source(builder: &RedisBuilder) -> Result<Source, OpenError> {
    let (scheme, _) =
        builder.url.split_once("://").ok_or(OpenError::Url { problem: "it has no scheme such as redis://" })?;
    match scheme {
        #[cfg(feature = "cluster")]
        "redis-cluster" | "rediss-cluster" => {
            let nodes = each_node(scheme, after_scheme(&builder.url), "-cluster");
            let each = nodes.iter().map(|node| Client::open(&node[..])).collect::<Result<Vec<_>, _>>()?;
            let client = redis::cluster::ClusterClientBuilder::new(nodes)
                .retries(4)
                .connection_timeout(builder.response_timeout)
                .response_timeout(builder.response_timeout);
            Ok(Source::Cluster(Box::new(client.build()?), each))
        }
        #[cfg(feature = "sentinel")]
        "redis-sentinel" | "rediss-sentinel" => sentinel(scheme, after_scheme(&builder.url)),
        #[cfg(not(feature = "cluster"))]
        "redis-cluster" | "rediss-cluster" => Err(OpenError::Url { problem: "the feature `cluster` is off" }),
        #[cfg(not(feature = "sentinel"))]
        "redis-sentinel" | "rediss-sentinel" => Err(OpenError::Url { problem: "the feature `sentinel` is off" }),
        _ => Ok(Source::Node(Box::new(Client::open(&builder.url[..])?))),
    }
}

#[cfg(any(feature = "cluster", feature = "sentinel"))]
fn after_scheme(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, rest)| rest)
}

/// `user:password@a,b,c` as one URL for each node.
#[cfg(any(feature = "cluster", feature = "sentinel"))]
fn each_node(scheme: &str, rest: &str, kind: &str) -> Vec<String> {
    let scheme = scheme.trim_end_matches(kind);
    let (login, hosts) = rest.rsplit_once('@').map_or(("", rest), |(login, hosts)| (login, hosts));
    let at = if login.is_empty() { "" } else { "@" };
    hosts.trim_end_matches('/').split(',').map(|host| format!("{scheme}://{login}{at}{host}")).collect()
}

/// `redis-sentinel://[user:password@]host[:26379],…/master-name[/database]`; the login is the primary's.
#[cfg(feature = "sentinel")]
fn sentinel(scheme: &str, rest: &str) -> Result<Source, OpenError> {
    use redis::{IntoConnectionInfo, sentinel};
    let problem = OpenError::Url { problem: "a redis-sentinel:// url ends with /name-of-the-primary" };
    let (hosts, path) = rest.split_once('/').ok_or(problem)?;
    let (name, database) = path.split_once('/').unwrap_or((path, ""));
    if name.is_empty() {
        return Err(OpenError::Url { problem: "a redis-sentinel:// url ends with /name-of-the-primary" });
    }
    let (login, hosts) = hosts.rsplit_once('@').map_or((None, hosts), |(login, hosts)| (Some(login), hosts));
    let mut addresses = Vec::new();
    for mut node in each_node(scheme, hosts, "-sentinel") {
        let host = node.rsplit("//").next().unwrap_or_default();
        if !host.rsplit(']').next().unwrap_or_default().contains(':') {
            node.push_str(":26379");
        }
        addresses.push(node.into_connection_info()?.addr().clone());
    }
    let mut client = sentinel::SentinelClientBuilder::new(addresses, name, sentinel::SentinelServerType::Master)?;
    if let Some(login) = login {
        // Read by the client's own parser: a login may be percent-encoded.
        let info = format!("redis://{login}@localhost").into_connection_info()?;
        let settings = info.redis_settings();
        if let Some(user) = settings.username() {
            client = client.set_client_to_redis_username(user);
        }
        if let Some(password) = settings.password() {
            client = client.set_client_to_redis_password(password);
        }
    }
    if !database.is_empty() {
        let number = database.parse().map_err(|_| OpenError::Url { problem: "the database is no number" })?;
        client = client.set_client_to_redis_db(number);
    }
    if scheme.starts_with("rediss") {
        client = client.set_client_to_redis_tls_mode(redis::TlsMode::Secure);
    }
    Ok(Source::Sentinel(Box::new(Mutex::new(client.build()?))))
}
