//! The envelope, written once.

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::id::{EventId, EventType};
use crate::time::Timestamp;

/// The envelope `{"event_id","event","timestamp","data"}`, compact and in this order, with `data` spelt as the
/// host spelt it.
///
/// Ids, event types and timestamps have no character that JSON escapes, so they are written as they are, and no
/// feature of `serde_json` that another crate turns on can change a byte.
#[must_use]
pub fn envelope(id: &EventId, event_type: &EventType, timestamp: Timestamp, data: &RawValue) -> Bytes {
    let data = data.get();
    let mut body = String::with_capacity(data.len() + id.as_str().len() + event_type.as_str().len() + 80);
    body.push_str(r#"{"event_id":""#);
    body.push_str(id.as_str());
    body.push_str(r#"","event":""#);
    body.push_str(event_type.as_str());
    body.push_str(r#"","timestamp":""#);
    body.push_str(&timestamp.to_string());
    body.push_str(r#"","data":"#);
    body.push_str(data);
    body.push('}');
    Bytes::from(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(data: &str) -> String {
        let raw: Box<RawValue> = serde_json::from_str(data).unwrap();
        let id = "evt_ck7qhp33c68tov35spng".parse().unwrap();
        let at = "2023-09-24T03:11:32.456Z".parse().unwrap();
        String::from_utf8(envelope(&id, &"connection.created".parse().unwrap(), at, &raw).to_vec()).unwrap()
    }

    #[test]
    fn the_sample_event_is_built_byte_for_byte() {
        assert_eq!(
            built(r#"{"connection_id":"con_ck76b3r3c68otqfg5c3g"}"#),
            r#"{"event_id":"evt_ck7qhp33c68tov35spng","event":"connection.created","timestamp":"2023-09-24T03:11:32.456Z","data":{"connection_id":"con_ck76b3r3c68otqfg5c3g"}}"#
        );
    }

    /// C08, C09, C13, C01: numbers lost digits, keys changed order, escapes changed spelling elsewhere.
    #[test]
    fn data_keeps_its_own_spelling() {
        for data in [
            r#"{"a":123456789012345678901234567890,"b":1.0,"c":9007199254740993,"d":-0.0,"e":1e400,"f":0.1,"g":18446744073709551615,"h":-8.990567403888024e-203}"#,
            r#"{"z":1,"a":{"y":2,"b":3},"m":[{"k2":0,"k1":0}]}"#,
            "{\"s\":\"a\u{2028}b\\u0000c\u{7f}\u{feff}\",\"k\\u0000ey\":1}",
            r#"{"t":"a\u001Bb","u":"x\/y","v":"<&>"}"#,
            r#"{"a":1,"a":2}"#,
            "[1, 2,\n 3]",
            "null",
            "\"caf\u{e9} \u{1f600}\"",
        ] {
            let body = built(data);
            assert!(body.ends_with(&format!(r#","data":{data}}}"#)), "{body}");
            serde_json::from_str::<serde::de::IgnoredAny>(&body).expect("still JSON");
        }
    }
}
