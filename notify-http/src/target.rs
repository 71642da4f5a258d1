//! The URL policy: from the registered text to what is sent, or to a refusal.
//!
//! The text is parsed once, by the WHATWG parser. What that parser would silently repair (backslashes, blanks, odd
//! IPv4 spellings, missing slashes) is refused first, so that no other parser can read another host out of it.

use std::net::IpAddr;

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};
use notify_core::InvalidInput;
use rustls::pki_types::ServerName;
use url::{Host, Url};

use crate::guard::{Guard, NameKind, Reach, Verdict, name_kind};

const MAX_URL_BYTES: usize = 2048;
const MAX_NAME_BYTES: usize = 253;
const MAX_LABEL_BYTES: usize = 63;

/// An endpoint's URL, ready to send to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Scheme and authority in normal form; path and query byte for byte as registered.
    pub(crate) uri: Uri,
    /// Scheme, host and port: what a connection belongs to.
    pub(crate) origin: Box<str>,
}

impl Target {
    /// Reads `text` and judges all that can be judged without a look-up.
    pub(crate) fn read(text: &str, guard: &Guard) -> Result<Self, InvalidInput> {
        let parts = RawParts::split(text)?;
        let url = Url::parse(text).map_err(|error| match error {
            url::ParseError::InvalidPort => refuse("NTF-URL-PORT", "has a port that is no number from 1 to 65535"),
            _ => refuse("NTF-URL-HOST", "has a host that is no valid name or address"),
        })?;
        let scheme = read_scheme(&url, guard)?;
        check_port(&url)?;
        let host = check_host(&url, parts.host)?;
        check_destination(&host, &scheme, guard)?;

        let mut authority = url.host_str().unwrap_or_default().to_owned();
        if let Some(port) = url.port() {
            authority.push_str(&format!(":{port}"));
        }
        let invalid = |_| refuse("NTF-URL", "is no valid URL");
        let authority: Authority = authority.parse().map_err(invalid)?;
        let origin = format!("{scheme}://{authority}").into_boxed_str();
        let mut uri = http::uri::Parts::default();
        uri.scheme = Some(scheme);
        uri.authority = Some(authority);
        uri.path_and_query = Some(parts.path_and_query(&url)?);
        let uri = Uri::from_parts(uri).map_err(|_| refuse("NTF-URL", "is no valid URL"))?;
        Ok(Self { uri, origin })
    }
}

/// The host of a connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Destination {
    /// A literal.
    Ip(IpAddr),
    /// A name in lower-case ASCII, without a final dot.
    Name(Box<str>),
}

impl Destination {
    /// The destination in a URI's host, which carries IPv6 literals in brackets.
    pub(crate) fn from_uri_host(host: &str) -> Self {
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        bare.parse().map_or_else(|_| Self::Name(bare.into()), Self::Ip)
    }

    /// How far a URL with this scheme and host may reach.
    pub(crate) fn reach(&self, scheme: &Scheme) -> Reach {
        let internal = matches!(self, Self::Name(name) if name_kind(name) != NameKind::Ordinary);
        if *scheme == Scheme::HTTPS && !internal { Reach::Public } else { Reach::OpenedOnly }
    }
}

/// The text cut at the places every parser agrees on, once the characters they disagree about are refused.
struct RawParts<'a> {
    host: &'a str,
    /// From the first `/` or `?` on; may be empty.
    tail: &'a str,
}

impl<'a> RawParts<'a> {
    fn split(text: &'a str) -> Result<Self, InvalidInput> {
        if text.is_empty() {
            return Err(refuse("NTF-URL", "must not be empty"));
        }
        if text.len() > MAX_URL_BYTES {
            return Err(refuse("NTF-URL-LENGTH", "has more than 2048 bytes"));
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace() || is_invisible(c)) {
            return Err(refuse("NTF-URL-CHARACTER", "must not have blanks or control characters"));
        }
        if text.contains('\\') {
            return Err(refuse("NTF-URL-CHARACTER", "must not have a backslash"));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(refuse("NTF-URL-SCHEME", "must begin with https:// and a host")
                .with_help("write the whole address, as in https://billing.example.com/hook"));
        };
        if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
            return Err(refuse("NTF-URL-SCHEME", "has a scheme other than https"));
        }
        if text.contains('#') {
            return Err(refuse("NTF-URL-FRAGMENT", "must not have a fragment (#…)")
                .with_help("a fragment never reaches the receiver; leave it out"));
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        if authority.contains('@') {
            return Err(refuse("NTF-URL-USERINFO", "must not have a user name or password")
                .with_help("give credentials as a custom header, such as authorization"));
        }
        if authority.contains('%') {
            return Err(refuse("NTF-URL-HOST", "must not have a % in its host"));
        }
        let host = match authority.rfind(':') {
            // The last colon of an IPv6 literal is inside its brackets.
            Some(colon) if !authority[colon..].contains(']') => {
                if colon + 1 == authority.len() {
                    return Err(refuse("NTF-URL-PORT", "has an empty port"));
                }
                &authority[..colon]
            }
            _ => authority,
        };
        if host.is_empty() {
            return Err(refuse("NTF-URL-HOST", "has no host"));
        }
        Ok(Self { host, tail })
    }

    /// Byte for byte as registered (a receiver may sign or route by its own spelling); what HTTP cannot carry so,
    /// such as letters outside ASCII, is percent-encoded as browsers do.
    fn path_and_query(&self, url: &Url) -> Result<PathAndQuery, InvalidInput> {
        let raw = if self.tail.starts_with('/') { self.tail.to_owned() } else { format!("/{}", self.tail) };
        if raw.is_ascii()
            && let Ok(target) = PathAndQuery::try_from(raw)
        {
            return Ok(target);
        }
        let encoded = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        PathAndQuery::try_from(encoded).map_err(|_| refuse("NTF-URL", "has a path or query that HTTP cannot carry"))
    }
}

fn read_scheme(url: &Url, guard: &Guard) -> Result<Scheme, InvalidInput> {
    match url.scheme() {
        "https" => Ok(Scheme::HTTPS),
        "http" if guard.has_openings() => Ok(Scheme::HTTP),
        _ => Err(refuse("NTF-URL-SCHEME", "must be https").with_help(
            "receivers must be public https. For tests use HttpTransport::builder().allow_private_networks()",
        )),
    }
}

fn check_port(url: &Url) -> Result<(), InvalidInput> {
    match url.port() {
        Some(0) => Err(refuse("NTF-URL-PORT", "has a port that is no number from 1 to 65535")),
        Some(port) if BAD_PORTS.contains(&port) => {
            Err(refuse("NTF-URL-PORT", format!("has port {port}, which belongs to another protocol than HTTP")))
        }
        _ => Ok(()),
    }
}

/// Takes only the canonical spelling of an address, and only names that DNS can hold.
fn check_host(url: &Url, raw: &str) -> Result<Destination, InvalidInput> {
    let host = match url.host() {
        Some(Host::Ipv4(ip)) if raw == ip.to_string() => return Ok(Destination::Ip(ip.into())),
        Some(Host::Ipv6(ip)) => {
            let raw = raw.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
            // The mapped form has two canonical spellings: RFC 5952, section 5, and the WHATWG serializer's.
            let serialized = url.host_str().unwrap_or_default();
            if raw == ip.to_string() || serialized.trim_start_matches('[').trim_end_matches(']') == raw {
                return Ok(Destination::Ip(ip.into()));
            }
            return Err(not_canonical(ip.into()));
        }
        Some(Host::Ipv4(ip)) => return Err(not_canonical(ip.into())),
        Some(Host::Domain(name)) => name,
        None => return Err(refuse("NTF-URL-HOST", "has no host")),
    };
    if host.ends_with('.') {
        return Err(refuse("NTF-URL-HOST", "has a host that ends in a dot"));
    }
    let labels_fit = host.split('.').all(|label| (1..=MAX_LABEL_BYTES).contains(&label.len()));
    if host.len() > MAX_NAME_BYTES || !labels_fit || ServerName::try_from(host).is_err() {
        return Err(refuse("NTF-URL-HOST", "has a host that is no valid DNS name"));
    }
    Ok(Destination::Name(host.into()))
}

fn check_destination(host: &Destination, scheme: &Scheme, guard: &Guard) -> Result<(), InvalidInput> {
    let name = match host {
        Destination::Ip(ip) => {
            if let Err(refusal) = guard.admit(*ip, host.reach(scheme)) {
                let code = match guard.judge(*ip) {
                    Verdict::Public | Verdict::Opened => "NTF-URL-SCHEME",
                    Verdict::Refused(_) => "NTF-URL-PRIVATE",
                };
                return Err(refuse(code, format!("refused: {refusal}")).with_help(ADDRESS_HELP));
            }
            return Ok(());
        }
        Destination::Name(name) => name,
    };
    match name_kind(name) {
        NameKind::Ordinary => Ok(()),
        NameKind::Internal(_) if guard.has_openings() => Ok(()),
        NameKind::Internal(why) => {
            Err(refuse("NTF-URL-PRIVATE", format!("refused: name {name} is not public: {why}")).with_help(ADDRESS_HELP))
        }
        NameKind::Metadata => Err(refuse("NTF-URL-PRIVATE", format!("refused: name {name} is a metadata service"))),
    }
}

fn not_canonical(ip: IpAddr) -> InvalidInput {
    refuse("NTF-URL-HOST", format!("has a host that is an unusual spelling of the address {ip}"))
        .with_help("write an address in its usual form, or better a name")
}

/// Characters that IDNA drops: a name with them reads as one host and leads to another.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn refuse(code: &'static str, why: impl Into<std::borrow::Cow<'static, str>>) -> InvalidInput {
    InvalidInput::new("url", code, why)
}

const ADDRESS_HELP: &str = "receivers must be public https. For tests, or receivers inside your own network, use \
    HttpTransport::builder().allow_cidr(…) or .allow_private_networks()";

/// The "bad ports" of the Fetch standard (section 2.9), where a request could speak to another protocol, then ports
/// of databases and control planes that take HTTP or fall for it.
#[rustfmt::skip]
const BAD_PORTS: &[u16] = &[
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
    111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532,
    540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061,
    6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
    2375, 2379, 3306, 5432, 5672, 6379, 8500, 9200, 11211, 27017,
];

#[cfg(test)]
mod tests;
