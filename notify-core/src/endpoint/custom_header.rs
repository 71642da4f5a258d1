//! A header that the endpoint's owner wants on every attempt.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::input::InvalidInput;

const MAX_NAME: usize = 128;
const MAX_VALUE: usize = 4096;

/// Set by notify or by HTTP itself; `x-notify-…`, `webhook-…` and `proxy-…` are reserved as families.
const RESERVED: &[&str] = &[
    "host",
    "content-length",
    "content-type",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "keep-alive",
    "accept-encoding",
    "user-agent",
    "http2-settings",
];

/// One extra header. Its value may be a credential, so `Debug` masks it.
#[derive(Clone, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "(String, String)", into = "(String, String)")]
pub struct CustomHeader {
    name: String,
    value: String,
}

impl CustomHeader {
    /// A header with this name (lower-cased) and value.
    ///
    /// # Errors
    /// The name is no token (RFC 9110, section 5.6.2) or reserved; the value has other than visible ASCII,
    /// spaces and tabs (section 5.5), or blanks at its ends.
    pub fn new(name: &str, value: &str) -> Result<Self, InvalidInput> {
        let refuse = |why: String| Err(InvalidInput::new("headers", "NTF-HEADER", why));
        if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(is_token) {
            return refuse("has a name that is no HTTP field name".into());
        }
        let name = name.to_ascii_lowercase();
        let family = ["x-notify-", "webhook-", "proxy-"].iter().any(|prefix| name.starts_with(prefix));
        if family || RESERVED.contains(&name.as_str()) {
            return refuse(format!("must not set {name}: it is reserved"));
        }
        let visible = value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
        if value.len() > MAX_VALUE || !visible || value.trim() != value {
            return refuse(format!("has a value for {name} that is not plain visible ASCII of at most 4096 bytes"));
        }
        Ok(Self { name, value: value.to_owned() })
    }

    /// The name, in lower case.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value.
    #[must_use]
    pub fn expose_value(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for CustomHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CustomHeader({}: ****)", self.name)
    }
}

impl TryFrom<(String, String)> for CustomHeader {
    type Error = InvalidInput;

    fn try_from((name, value): (String, String)) -> Result<Self, InvalidInput> {
        Self::new(&name, &value)
    }
}

impl From<CustomHeader> for (String, String) {
    fn from(header: CustomHeader) -> Self {
        (header.name, header.value)
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn injection_and_reserved_names_are_refused() {
        for (name, value) in [
            ("", "v"),
            ("a b", "v"),
            ("a:", "v"),
            ("a\r\n", "v"),
            ("é", "v"),
            ("x", "a\r\nX-Evil: 1"),
            ("x", "a\0"),
            ("x", "é"),
            ("x", " padded "),
            ("x", "\u{7f}"),
            ("Host", "v"),
            ("Content-Length", "0"),
            ("x-notify-signature", "v"),
            ("X-Notify-Anything", "v"),
            ("webhook-id", "v"),
            ("Proxy-Authorization", "v"),
            ("transfer-encoding", "chunked"),
            ("Expect", "v"),
        ] {
            assert_eq!(CustomHeader::new(name, value).unwrap_err().field(), "headers", "{name:?}: {value:?}");
        }
    }

    #[test]
    fn a_value_stays_out_of_debug_and_errors() {
        let header = CustomHeader::new("Authorization", "Bearer canary").unwrap();
        assert_eq!(format!("{header:?}"), "CustomHeader(authorization: ****)");
        assert!(!format!("{:?}", CustomHeader::new("a", "canary\n").unwrap_err()).contains("canary"));
    }
}
