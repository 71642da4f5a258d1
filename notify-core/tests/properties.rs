//! What holds for every event that a host can publish, seen from outside the crate.

use notify_core::{NewEvent, TenantId, Timestamp};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Borrowed, so that `data` is compared in the spelling that is on the wire.
#[derive(Deserialize)]
struct Envelope<'a> {
    event_id: &'a str,
    event: &'a str,
    timestamp: &'a str,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// JSON texts in spellings that a generic value would not keep.
fn any_json() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,4})?",
        any::<i64>().prop_map(|number| number.to_string()),
    ];
    let text = any::<String>().prop_map(|text| serde_json::to_string(&text).expect("a string is JSON"));
    let escaped = "[a-z]{0,4}".prop_map(|text| format!("\"{text}\\u001B\\/\\u00e9\\ud83d\\ude00\""));
    let leaf = prop_oneof![number, text.clone(), escaped, "null|true|false",];
    leaf.prop_recursive(4, 32, 5, move |inner| {
        let field = (text.clone(), "[ \t\n]{0,2}", inner.clone())
            .prop_map(|(key, blank, value)| format!("{key}{blank}:{blank}{value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(|items| format!("[{}]", items.join(" ,\n"))),
            prop::collection::vec(field, 0..5).prop_map(|fields| format!("{{{}}}", fields.join(", "))),
        ]
    })
}

fn any_time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![any::<i64>(), 0i64..4_000_000_000_000].prop_map(Timestamp::from_millis)
}

proptest! {
    /// C01, C08, C09: elsewhere numbers lost digits and keys their order between the publish and the wire.
    #[test]
    fn the_envelope_is_compact_in_order_and_spells_data_as_the_host_did(
        data in any_json(), event in "[a-z0-9_]{1,8}(\\.[a-z0-9_]{1,8}){1,3}", id in "[A-Za-z0-9_-]{1,64}", now in any_time(),
    ) {
        let new = NewEvent::new(&event, &data).expect("well-formed");
        let built = new.build(id.parse().expect("an id"), now);
        let body = std::str::from_utf8(&built.body).expect("text");
        let expected = format!(r#"{{"event_id":"{id}","event":"{event}","timestamp":"{now}","data":{data}}}"#);
        prop_assert_eq!(body, expected);
        let read: Envelope<'_> = serde_json::from_str(body).expect("JSON");
        prop_assert_eq!((read.event_id, read.event), (id.as_str(), event.as_str()));
        prop_assert_eq!(read.timestamp, now.to_string());
        prop_assert_eq!(read.data.get(), data);
        prop_assert_eq!(&new.build(id.parse().expect("an id"), now).body, &built.body, "built again, it is the same");
    }

    #[test]
    fn any_text_is_refused_or_arrives_as_it_is(data: String) {
        if let Ok(new) = NewEvent::new("a.b", &data) {
            let body = new.build("evt_1".parse().expect("an id"), Timestamp::EPOCH).body;
            let expected = format!(r#","data":{}}}"#, data.trim_matches([' ', '\t', '\n', '\r']));
            prop_assert!(body.ends_with(expected.as_bytes()));
        }
    }

    /// C10: elsewhere the fraction came and went, and the zone was the machine's.
    #[test]
    fn every_time_has_one_spelling_of_24_characters_that_reads_back(time in any_time(), other in any_time()) {
        let text = time.to_string();
        prop_assert_eq!(text.len(), 24);
        prop_assert!(text.ends_with('Z'));
        prop_assert_eq!(text.parse(), Ok(time));
        prop_assert_eq!(text.cmp(&other.to_string()), time.cmp(&other), "text sorts as time does");
    }

    #[test]
    fn the_fingerprint_is_the_same_for_the_same_content_only(
        a in ("[ab]{1,2}", "[ab]\\.[ab]{1,2}", "[12]{1,2}", prop::option::of(0i64..2)),
        b in ("[ab]{1,2}", "[ab]\\.[ab]{1,2}", "[12]{1,2}", prop::option::of(0i64..2)),
    ) {
        let print = |(tenant, event, data, time): &(String, String, String, Option<i64>)| {
            let new = NewEvent::new(event, data).expect("well-formed");
            let new = new.for_tenant(tenant.parse::<TenantId>().expect("a tenant"));
            time.map_or(new.clone(), |millis| new.at(Timestamp::from_millis(millis))).fingerprint()
        };
        prop_assert_eq!(print(&a) == print(&b), a == b);
    }
}
