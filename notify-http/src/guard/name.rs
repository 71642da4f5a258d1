//! The name policy. Names give a clear refusal early; the safety is in the addresses.

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

fn is_under(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

const METADATA: &[&str] =
    &["metadata.google.internal", "metadata.goog", "metadata", "instance-data", "metadata.tencentyun.com"];

const INTERNAL: &[(&str, &str)] = &[
    ("localhost", "it is this machine (RFC 6761)"),
    ("local", "it is a link-local or cluster name (RFC 6762)"),
    ("internal", "it is reserved for private use (ICANN 2024)"),
    ("home.arpa", "it is a home network's (RFC 8375)"),
    ("svc", "it is a cluster's"),
    ("alt", "it is outside the DNS (RFC 9476)"),
    ("onion", "it is outside the DNS (RFC 7686)"),
    ("invalid", "it never resolves (RFC 6761)"),
    ("test", "it is reserved for tests (RFC 6761)"),
    ("example", "it is reserved for documentation (RFC 6761)"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_inside_are_told_from_public_ones() {
        for name in ["localhost", "a.localhost", "redis", "db.internal", "p.local", "x.svc", "h.example", "h.test"] {
            assert!(matches!(name_kind(name), NameKind::Internal(_)), "{name}");
        }
        for name in ["example.com", "mylocalhost.com", "internal.example.com", "notlocal.de", "localhost.com"] {
            assert_eq!(name_kind(name), NameKind::Ordinary, "{name}");
        }
        for name in METADATA {
            assert_eq!(name_kind(name), NameKind::Metadata, "{name}");
        }
    }
}
