//! What a browser remembers for its reader: how pages look. No secret, and nothing that scripts have a use for.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

/// The first value of this name.
pub(crate) fn read<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

/// The header that has it remembered for a year, below the mount path.
pub(crate) fn remembering(name: &str, value: &str, root: &str) -> String {
    // A mount path may have parameters, and so what strangers choose: a semicolon would begin another attribute.
    let root = if root.contains(';') { "/" } else { root };
    format!("{name}={value}; Path={root}; Max-Age=31536000; SameSite=Lax; HttpOnly")
}
