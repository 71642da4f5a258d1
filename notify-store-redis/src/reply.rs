//! Arguments of scripts, and their answers.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use notify_core::Timestamp;
use redis::Value;

/// A script's arguments, in order.
#[derive(Default)]
pub(crate) struct Args(Vec<Vec<u8>>);

impl Args {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn add(&mut self, value: impl Into<Vec<u8>>) -> &mut Self {
        self.0.push(value.into());
        self
    }

    pub(crate) fn text(&mut self, value: &str) -> &mut Self {
        self.add(value.as_bytes())
    }

    pub(crate) fn number(&mut self, value: impl std::fmt::Display) -> &mut Self {
        self.add(value.to_string())
    }

    pub(crate) fn time(&mut self, value: Timestamp) -> &mut Self {
        self.number(value.as_millis())
    }

    /// Empty for `None`.
    pub(crate) fn optional(&mut self, value: Option<impl std::fmt::Display>) -> &mut Self {
        self.add(value.map(|value| value.to_string()).unwrap_or_default())
    }

    /// All of them as one, for [`from_bytes`](Self::from_bytes).
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.iter().map(|arg| 8 + arg.len()).sum());
        for arg in &self.0 {
            bytes.extend_from_slice(&(arg.len() as u64).to_be_bytes());
            bytes.extend_from_slice(arg);
        }
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    pub(crate) fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let mut args = Self::new();
        while !bytes.is_empty() {
            let (length, rest) = bytes.split_first_chunk()?;
            let (arg, rest) = rest.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)?;
            args.add(arg);
            bytes = rest;
        }
        Some(args)
    }

    pub(crate) fn as_slice(&self) -> &[Vec<u8>] {
        &self.0
    }
}

/// Names one call, so that its repeat after a lost answer is known from another call of the same kind. From the
/// standard library's own randomness: it guards nothing but that.
pub(crate) fn nonce() -> String {
    format!("{:016x}{:016x}", RandomState::new().hash_one(0), RandomState::new().hash_one(1))
}

/// A hash's fields.
pub(crate) type Fields = BTreeMap<Vec<u8>, Vec<u8>>;

/// The items of an answer; none for one that is no list.
pub(crate) fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) | Value::Set(items) => items,
        _ => Vec::new(),
    }
}

/// An answer of `N` items.
pub(crate) fn tuple<const N: usize>(value: Value) -> Option<[Value; N]> {
    list(value).try_into().ok()
}

pub(crate) fn bytes(value: Value) -> Vec<u8> {
    match value {
        Value::BulkString(bytes) => bytes,
        Value::SimpleString(text) => text.into_bytes(),
        Value::Int(number) => number.to_string().into_bytes(),
        _ => Vec::new(),
    }
}

pub(crate) fn text(value: Value) -> String {
    String::from_utf8_lossy(&bytes(value)).into_owned()
}

/// A number, whether the server sent it as one or as text; `None` for anything else.
pub(crate) fn number(value: Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(number),
        other => text(other).parse().ok(),
    }
}

pub(crate) fn fields(value: Value) -> Fields {
    let mut items = match value {
        Value::Map(pairs) => return pairs.into_iter().map(|(name, value)| (bytes(name), bytes(value))).collect(),
        other => list(other).into_iter(),
    };
    let mut fields = Fields::new();
    while let (Some(name), Some(value)) = (items.next(), items.next()) {
        fields.insert(bytes(name), bytes(value));
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_read_back_whatever_they_hold_and_a_part_of_them_does_not() {
        let mut args = Args::new();
        args.text("").number(7).add([0, 255, b'\n']).text("é");
        let bytes = args.to_bytes();
        assert_eq!(Args::from_bytes(&bytes).map(|args| args.0), Some(args.0));
        assert!(Args::from_bytes(&[]).is_some_and(|args| args.0.is_empty()));
        for end in [1, 7, 9, bytes.len() - 1] {
            assert!(Args::from_bytes(&bytes[..end]).is_none(), "{end} bytes");
        }
    }
}
