//! The URL policy: from the registered text to what is sent, or to a refusal.
//!
//! The text is parsed once, by the WHATWG parser. What that parser would silently repair (backslashes, blanks, odd
//! IPv4 spellings, missing slashes) is refused first, so that no other parser can read another host out of it.

use std::borrow::Cow;
use std::net::IpAddr;

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};
use notify_core::InvalidInput;
use url::{Host, Url};

use crate::guard::{Destination, Guard, NameRefusal, Reach, Refusal, is_valid};

const MAX_URL_BYTES: usize = 2048;

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
        let scheme = if url.scheme() == "https" { Scheme::HTTPS } else { Scheme::HTTP };
        let host = read_host(&url, parts.host)?;
        let reach = guard.reach(&host, &scheme);
        if scheme == Scheme::HTTP && reach != Reach::AllowedHost && !guard.has_open_ranges() {
            return Err(refuse("NTF-URL-SCHEME", "must be https").with_help(HTTPS_HELP));
        }
        check_port(&url, guard)?;
        check_destination(&host, reach, guard)?;

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
        uri.path_and_query = Some(parts.path_and_query()?);
        let uri = Uri::from_parts(uri).map_err(|_| refuse("NTF-URL", "is no valid URL"))?;
        Ok(Self { uri, origin })
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
        if authority.chars().any(is_ignored_by_idna) {
            return Err(refuse("NTF-URL-CHARACTER", "must not have invisible characters in its host"));
        }
        let host = match authority.rfind(':') {
            // The last colon of an IPv6 literal is inside its brackets.
            Some(colon) if !authority[colon..].contains(']') => {
                if !is_plain_number(&authority[colon + 1..]) {
                    return Err(refuse("NTF-URL-PORT", "has a port that is no plain number"));
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

    /// Byte for byte as registered (a receiver may sign or route by its own spelling). Where HTTP cannot carry it so, its
    /// letters outside ASCII and the delimiters of RFC 3986, appendix C, are percent-encoded, and nothing else changes.
    fn path_and_query(&self) -> Result<PathAndQuery, InvalidInput> {
        let raw = if self.tail.starts_with('/') { self.tail.to_owned() } else { format!("/{}", self.tail) };
        if raw.is_ascii()
            && let Ok(target) = PathAndQuery::try_from(raw.as_str())
        {
            return Ok(target);
        }
        let mut encoded = String::with_capacity(3 * raw.len());
        for byte in raw.bytes() {
            match byte {
                b'"' | b'<' | b'>' | b'`' | b'{' | b'}' | 0x80.. => encoded.push_str(&format!("%{byte:02X}")),
                _ => encoded.push(char::from(byte)),
            }
        }
        PathAndQuery::try_from(encoded).map_err(|_| refuse("NTF-URL", "has a path or query that HTTP cannot carry"))
    }
}

fn check_port(url: &Url, guard: &Guard) -> Result<(), InvalidInput> {
    let port = url.port_or_known_default().unwrap_or_default();
    if port == 0 {
        return Err(refuse("NTF-URL-PORT", "has a port that is no number from 1 to 65535"));
    }
    guard.admit_port(port).map_err(|why| refuse("NTF-URL-PORT", format!("has port {port}, {why}")))
}

/// Takes only the canonical spelling of an address, and only names that DNS can hold.
fn read_host(url: &Url, raw: &str) -> Result<Destination, InvalidInput> {
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
    if !is_valid(host) {
        return Err(refuse("NTF-URL-HOST", "has a host that is no valid DNS name"));
    }
    Ok(Destination::Name(host.into()))
}

fn check_destination(host: &Destination, reach: Reach, guard: &Guard) -> Result<(), InvalidInput> {
    match host {
        Destination::Ip(_) if guard.refuses_literals() => {
            Err(refuse("NTF-URL-LITERAL", "must not have an address for a host").with_help("use a name"))
        }
        Destination::Ip(ip) => guard.admit(*ip, reach).map_err(refuse_address),
        Destination::Name(name) => guard.admit_name(name).map_err(|refusal| refuse_name(name, refusal)),
    }
}

fn refuse_address(refusal: Refusal) -> InvalidInput {
    let why = format!("refused: {refusal}");
    if refusal.is_denied() {
        return refuse("NTF-URL-DENIED", why);
    }
    let code = if refusal.is_about_the_scheme() { "NTF-URL-SCHEME" } else { "NTF-URL-PRIVATE" };
    refuse(code, why).with_help(ADDRESS_HELP)
}

fn refuse_name(name: &str, refusal: NameRefusal) -> InvalidInput {
    let why = format!("refused: name {name} {refusal}");
    match refusal {
        NameRefusal::Denied => refuse("NTF-URL-DENIED", why),
        NameRefusal::Metadata => refuse("NTF-URL-PRIVATE", why),
        NameRefusal::Internal(_) => refuse("NTF-URL-PRIVATE", why).with_help(ADDRESS_HELP),
    }
}

fn not_canonical(ip: IpAddr) -> InvalidInput {
    refuse("NTF-URL-HOST", format!("has a host that is an unusual spelling of the address {ip}"))
        .with_help("write an address in its usual form, or better a name")
}

/// Characters that show nothing: a URL with them reads as another.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{fff9}'..='\u{fffb}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The other characters that UTS 46 drops: a host with them leads to another. In a path they may be meant (emoji have
/// variation selectors).
const fn is_ignored_by_idna(c: char) -> bool {
    matches!(
        c,
        '\u{34f}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// One spelling a number: parsers differ over signs, leading zeros and nothing at all.
fn is_plain_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() && (text == "0" || !text.starts_with('0'))
}

fn refuse(code: &'static str, why: impl Into<Cow<'static, str>>) -> InvalidInput {
    InvalidInput::new("url", code, why)
}

const HTTPS_HELP: &str =
    "receivers must be public https. For tests use HttpTransport::builder().allow_private_networks()";

const ADDRESS_HELP: &str = "receivers must be public https. For tests, or receivers inside your own network, use \
    HttpTransport::builder().allow_cidr(…), .allow_host(…) or .allow_private_networks()";

#[cfg(test)]
mod tests;
