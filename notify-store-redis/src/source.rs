//! Where the server is found, and how it is spoken with: by a URL of one of three kinds, each with TLS or without.

use redis::Client;
#[cfg(feature = "sentinel")]
use tokio::sync::Mutex;

use crate::OpenError;
use crate::builder::RedisBuilder;

/// How to find the server.
pub(crate) enum Source {
    Node(Box<Client>),
    #[cfg(feature = "cluster")]
    Cluster(Box<redis::cluster::ClusterClient>, Vec<Client>),
    #[cfg(feature = "sentinel")]
    Sentinel(Box<Mutex<redis::sentinel::SentinelClient>>),
}

/// Reads the builder's URL; nothing is connected yet.
pub(crate) fn find(builder: &RedisBuilder) -> Result<Source, OpenError> {
    let (scheme, _) =
        builder.url.split_once("://").ok_or(OpenError::Url { problem: "it has no scheme such as redis://" })?;
    #[cfg(not(feature = "tls"))]
    if scheme.starts_with("rediss") {
        return Err(OpenError::Url { problem: "the feature `tls` is off" });
    }
    #[cfg(feature = "tls")]
    if builder.tls.is_set() && !scheme.starts_with("rediss") {
        return Err(OpenError::Url { problem: "certificates are given, but its scheme is not rediss" });
    }
    match scheme {
        #[cfg(feature = "cluster")]
        "redis-cluster" | "rediss-cluster" => {
            let nodes = each_node(scheme, after_scheme(&builder.url), "-cluster");
            let each = nodes.iter().map(|node| client(builder, node)).collect::<Result<Vec<_>, _>>()?;
            let client = redis::cluster::ClusterClientBuilder::new(nodes)
                .retries(4)
                .connection_timeout(builder.response_timeout)
                .response_timeout(builder.response_timeout);
            #[cfg(feature = "tls")]
            let client = if scheme.starts_with("rediss") { client.certs(builder.tls.certificates()?) } else { client };
            Ok(Source::Cluster(Box::new(client.build()?), each))
        }
        #[cfg(feature = "sentinel")]
        "redis-sentinel" | "rediss-sentinel" => sentinel(builder, scheme, after_scheme(&builder.url)),
        #[cfg(not(feature = "cluster"))]
        "redis-cluster" | "rediss-cluster" => Err(OpenError::Url { problem: "the feature `cluster` is off" }),
        #[cfg(not(feature = "sentinel"))]
        "redis-sentinel" | "rediss-sentinel" => Err(OpenError::Url { problem: "the feature `sentinel` is off" }),
        _ => Ok(Source::Node(Box::new(client(builder, &builder.url)?))),
    }
}

/// A client of one node.
#[cfg_attr(not(feature = "tls"), expect(unused_variables, reason = "what it has beside the URL is about TLS"))]
fn client(builder: &RedisBuilder, url: &str) -> Result<Client, OpenError> {
    #[cfg(feature = "tls")]
    if url.starts_with("rediss") {
        return Ok(Client::build_with_tls(url, builder.tls.certificates()?)?);
    }
    Ok(Client::open(url)?)
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
#[cfg_attr(not(feature = "tls"), expect(unused_variables, reason = "what it has beside the URL is about TLS"))]
fn sentinel(builder: &RedisBuilder, scheme: &str, rest: &str) -> Result<Source, OpenError> {
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
    #[cfg(feature = "tls")]
    if scheme.starts_with("rediss") {
        let certificates = builder.tls.certificates()?;
        client = client
            .set_client_to_redis_tls_mode(redis::TlsMode::Secure)
            .set_client_to_redis_certificates(certificates.clone())
            .set_client_to_sentinel_certificates(certificates);
    }
    Ok(Source::Sentinel(Box::new(Mutex::new(client.build()?))))
}
