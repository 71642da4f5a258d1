//! Opening: is the server one that the store may use, and whose is the namespace?

use std::sync::Arc;

use notify_core::store::BoxError;
use redis::{ErrorKind, RedisError, ServerErrorKind, Value};

use crate::builder::{Durability, Eviction, RedisBuilder};
use crate::link::{Ack, Link};
use crate::reply::{Args, number, tuple};
use crate::{OpenError, keys, script};

/// The layout's version; and the lowest that this release can work on.
pub const LAYOUT_VERSION: u32 = 1;

const SHARDS_OF_A_CLUSTER: u16 = 16;

/// What an opened namespace is.
pub(crate) struct Opened {
    pub(crate) link: Arc<Link>,
    pub(crate) publish: Option<(Link, Ack)>,
    /// The `meta` key of each shard.
    pub(crate) shards: Vec<String>,
    pub(crate) warnings: Vec<String>,
}

pub(crate) async fn open(builder: &RedisBuilder) -> Result<Opened, OpenError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if !(1..=64).contains(&builder.namespace.len()) || !builder.namespace.bytes().all(allowed) {
        return Err(OpenError::Namespace);
    }
    let link = Arc::new(Link::new(builder)?);
    let mut warnings = Vec::new();
    let servers = info(&link).await?;
    if servers.is_empty() {
        warnings.push(
            "redis hides INFO: its version, its eviction policy and its append-only file are unchecked".to_owned(),
        );
    }
    for server in &servers {
        judge(server, builder, &mut warnings)?;
    }
    let publish = publish_link(builder, &link, &servers)?;
    let shards = shards(builder, &link).await?;
    Ok(Opened { link, publish, shards, warnings })
}

/// The text of `INFO` from each server; none where this user may not read it.
async fn info(link: &Link) -> Result<Vec<String>, OpenError> {
    let mut texts = Vec::new();
    match link.ask(&redis::cmd("INFO")).await {
        Ok(value) => collect(value, &mut texts),
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(texts)
}

fn collect(value: Value, texts: &mut Vec<String>) {
    match value {
        Value::BulkString(bytes) => texts.push(String::from_utf8_lossy(&bytes).into_owned()),
        Value::VerbatimString { text, .. } | Value::SimpleString(text) => texts.push(text),
        Value::Map(servers) => servers.into_iter().for_each(|(_, info)| collect(info, texts)),
        Value::Array(servers) => servers.into_iter().for_each(|info| collect(info, texts)),
        _ => {}
    }
}

fn field<'i>(info: &'i str, name: &str) -> Option<&'i str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// Fields that a provider hides are no reason to refuse its server.
fn judge(info: &str, builder: &RedisBuilder, warnings: &mut Vec<String>) -> Result<(), OpenError> {
    let (found, lowest, kind) = match (field(info, "valkey_version"), field(info, "redis_version")) {
        (Some(version), _) => (version, (7, 2), "valkey"),
        (None, Some(version)) => (version, (7, 0), "redis"),
        (None, None) => return Ok(()),
    };
    if version(found) < lowest {
        return Err(OpenError::TooOld { found: format!("({kind}) {found}") });
    }
    let mut warn = |text: String| {
        if !warnings.contains(&text) {
            warnings.push(text);
        }
    };
    match (field(info, "maxmemory_policy"), builder.eviction) {
        (None | Some("noeviction"), _) => {}
        (Some(policy), Eviction::Refuse) => return Err(OpenError::Evicts { policy: policy.to_owned() }),
        (Some(policy), Eviction::Tolerate) => {
            warn(format!("redis may drop deliveries without a word: its maxmemory_policy is {policy}"));
        }
    }
    if field(info, "aof_enabled") == Some("0") {
        warn("redis keeps no append-only file: what it accepted since its last snapshot is lost with it".to_owned());
    }
    Ok(())
}

fn version(text: &str) -> (u32, u32) {
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

/// A connection of its own: waiting for servers blocks it.
fn publish_link(builder: &RedisBuilder, link: &Link, servers: &[String]) -> Result<Option<(Link, Ack)>, OpenError> {
    let (ack, level) = match builder.durability {
        Durability::Memory => return Ok(None),
        Durability::LocalFsync => (Ack::Fsync { local: 1, replicas: 0 }, "its disk"),
        Durability::Replicas(replicas) => (Ack::Replicas(replicas), "replicas"),
        Durability::ReplicaFsync(replicas) => (Ack::Fsync { local: 0, replicas }, "its replicas' disks"),
    };
    if link.is_cluster() {
        return Err(OpenError::Durability { level, problem: "on a cluster set min-replicas-to-write instead" });
    }
    let since_7_2 = |info: &String| version(field(info, "redis_version").unwrap_or_default()) >= (7, 2);
    if matches!(ack, Ack::Fsync { .. }) && !servers.iter().all(since_7_2) {
        return Err(OpenError::Durability { level, problem: "WAITAOF needs redis 7.2" });
    }
    Ok(Some((Link::new(builder)?, ack)))
}

/// Marks the namespace as ours. The first shard decides how many there are.
async fn shards(builder: &RedisBuilder, link: &Link) -> Result<Vec<String>, OpenError> {
    let asked = builder.shards.unwrap_or(if link.is_cluster() { SHARDS_OF_A_CLUSTER } else { 1 });
    let found = mark(link, &keys::meta(&builder.namespace, 0), asked).await?;
    if builder.shards.is_some_and(|asked| asked != found) {
        return Err(OpenError::Shards { found, asked });
    }
    let shards: Vec<String> = (0..found).map(|shard| keys::meta(&builder.namespace, shard)).collect();
    Ok(shards)
}

async fn mark(link: &Link, meta: &str, shards: u16) -> Result<u16, OpenError> {
    let mut args = Args::new();
    args.number(LAYOUT_VERSION).number(LAYOUT_VERSION).number(shards);
    let answer = link.run(&script::OPEN, meta, args.as_slice()).await?;
    let [_, lowest, shards] = tuple(answer).ok_or_else(|| unexpected("open"))?;
    let lowest = number(lowest).and_then(|number| u32::try_from(number).ok()).unwrap_or(u32::MAX);
    if lowest > LAYOUT_VERSION {
        return Err(OpenError::NewerLayout { found: lowest, known: LAYOUT_VERSION });
    }
    let shards = number(shards).and_then(|number| u16::try_from(number).ok()).filter(|shards| *shards > 0);
    shards.ok_or_else(|| unexpected("open").into())
}

/// An answer that no script of ours gives.
pub(crate) fn unexpected(script: &str) -> RedisError {
    redis::make_extension_error("ANSWER".to_owned(), Some(format!("unexpected answer of script {script}")))
}

/// The same as a cause.
pub(crate) fn unexpected_cause(script: &str) -> BoxError {
    Box::new(unexpected(script))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(info: &str, eviction: Eviction) -> Result<Vec<String>, OpenError> {
        let mut warnings = Vec::new();
        judge(info, &RedisBuilder::new("redis://localhost").eviction(eviction), &mut warnings).map(|()| warnings)
    }

    #[test]
    fn old_servers_are_refused_and_hidden_fields_are_not() {
        assert!(matches!(judged("redis_version:6.2.9\r\n", Eviction::Refuse), Err(OpenError::TooOld { .. })));
        let valkey = "redis_version:7.2.4\r\nvalkey_version:7.1.0\r\n";
        assert!(matches!(judged(valkey, Eviction::Refuse), Err(OpenError::TooOld { .. })));
        assert_eq!(judged("redis_version:7.0.0\r\n", Eviction::Refuse).unwrap(), Vec::<String>::new());
        assert_eq!(judged("", Eviction::Refuse).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_server_that_evicts_is_refused_or_warned_about() {
        let info = "redis_version:7.0.15\r\nmaxmemory_policy:allkeys-lru\r\naof_enabled:0\r\n";
        let refused = judged(info, Eviction::Refuse).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "redis may evict deliveries: its maxmemory_policy is allkeys-lru, noeviction is needed (NTF-REDIS-EVICTS)"
        );
        assert_eq!(judged(info, Eviction::Tolerate).unwrap().len(), 2);
    }
}
