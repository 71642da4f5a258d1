//! The name table. Names give a clear refusal early; the safety is in the addresses.

use rustls::pki_types::ServerName;
use url::Host;

const MAX_NAME_BYTES: usize = 253;
const MAX_LABEL_BYTES: usize = 63;

/// What kind of name a host is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NameKind {
    /// A name of the public DNS.
    Ordinary,
    /// A name that never leads to a public receiver, and why; usable with opened ranges only.
    Internal(&'static str),
    /// A metadata service: never usable.
    Metadata,
}

/// Sorts `name`, which is in lower-case ASCII without a final dot.
pub(crate) fn name_kind(name: &str) -> NameKind {
    if METADATA.contains(&name) {
        return NameKind::Metadata;
    }
    if let Some((_, why)) = INTERNAL.iter().find(|(suffix, _)| is_under(name, suffix)) {
        return NameKind::Internal(why);
    }
    // A search domain of ours could complete it to something inside.
    if !name.contains('.') {
        return NameKind::Internal("it has a single label");
    }
    NameKind::Ordinary
}

/// Whether `name` is `suffix` or a name below it.
pub(crate) fn is_under(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether `name`, in lower-case ASCII, is one that the DNS can hold (RFC 1035, section 2.3.4) and TLS can verify; the
/// final dot of an absolute name is not taken.
pub(crate) fn is_valid(name: &str) -> bool {
    let labels_fit = name.split('.').all(|label| (1..=MAX_LABEL_BYTES).contains(&label.len()));
    name.len() <= MAX_NAME_BYTES && labels_fit && ServerName::try_from(name).is_ok()
}

/// The normal form of a name that somebody wrote, and `None` for what is none: an address, a pattern, a URL.
pub(crate) fn normal_form(text: &str) -> Option<Box<str>> {
    match Host::parse(text) {
        Ok(Host::Domain(name)) if is_valid(&name) => Some(name.into()),
        _ => None,
    }
}

/// Names that lead to credentials. Most are caught by their addresses too; by name the refusal is clearer.
const METADATA: &[&str] = &[
    "api.metadata.cloud.ibm.com",
    "instance-data",
    "instance-data.ec2.internal",
    "metadata",
    "metadata.azure.internal",
    "metadata.goog",
    "metadata.google.internal",
    "metadata.packet.net",
    "metadata.platformequinix.com",
    "metadata.tencentyun.com",
    "rancher-metadata",
];

/// Names below these are never public.
const INTERNAL: &[(&str, &str)] = &[
    ("localhost", "it is this machine (RFC 6761)"),
    ("localdomain", "it is this machine's"),
    ("local", "it is a link-local or cluster name (RFC 6762)"),
    ("internal", "it is reserved for private use (ICANN 2024)"),
    ("intranet", PRIVATE),
    ("private", PRIVATE),
    ("corp", PRIVATE),
    ("home", PRIVATE),
    ("lan", PRIVATE),
    ("arpa", "it is the network's own (RFC 3172, RFC 8375)"),
    ("svc", "it is a cluster's"),
    ("alt", "it is outside the DNS (RFC 9476)"),
    ("onion", "it is outside the DNS (RFC 7686)"),
    ("invalid", "it never resolves (RFC 6761)"),
    ("test", "it is reserved for tests (RFC 6761)"),
    ("example", "it is reserved for documentation (RFC 6761)"),
];

const PRIVATE: &str = "it is in private use (RFC 6762, appendix G)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_inside_are_told_from_public_ones() {
        for (suffix, _) in INTERNAL {
            for name in [(*suffix).to_owned(), format!("a.{suffix}"), format!("a.b.{suffix}")] {
                assert!(matches!(name_kind(&name), NameKind::Internal(_)), "{name}");
            }
            for name in [format!("a{suffix}.com"), format!("{suffix}.com"), format!("a.b{suffix}")] {
                assert_eq!(name_kind(&name), NameKind::Ordinary, "{name}");
            }
        }
        assert!(matches!(name_kind("redis"), NameKind::Internal(_)));
        for name in METADATA {
            assert_eq!(name_kind(name), NameKind::Metadata, "{name}");
        }
    }

    #[test]
    fn a_written_name_is_normalised_and_anything_else_is_none() {
        assert_eq!(normal_form("Hooks.Example.COM").as_deref(), Some("hooks.example.com"));
        assert_eq!(normal_form("bücher.example.com").as_deref(), Some("xn--bcher-kva.example.com"));
        for text in ["", "10.0.0.1", "[::1]", "127.1", "*.example.com", "h.example.com.", "https://h/", "h:80", "a b"] {
            assert_eq!(normal_form(text), None, "{text:?}");
        }
    }
}
