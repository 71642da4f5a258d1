//! Sizes from nothing to a megabyte, and bytes that are no text.

use std::sync::Arc;

use bytes::Bytes;

use crate::delivery::Response;
use crate::endpoint::Endpoint;
use crate::event::Event;
use crate::id::EventFilter;
use crate::machine::Input;
use crate::store::{PublishBatch, PublishedEvent};
use crate::time::Timestamp;

use super::super::sample::{answered, change, delivered, endpoint, event, named, t};
use super::{Done, Subject, answer};

const MEBIBYTE: usize = 1 << 20;

async fn body_reads_back(store: &Subject, id: &str, body: Bytes) {
    let sample = event(id, 0, &["a"], 0);
    let event = Arc::new(Event { body, ..Event::clone(&sample.event) });
    store.publish(PublishedEvent { event: Arc::clone(&event), ..sample }).await;
    let claimed = store.claim(0, u128::from_be_bytes(*b"a claim of sizes")).await.claimed;
    let found = claimed.iter().find(|row| row.delivery.event().id == event.key.id);
    let same = found.is_some_and(|row| row.event.body == event.body);
    assert!(same, "a body of {} bytes comes back as it was", event.body.len());
    if let Ok(log) = store.log() {
        let record = answer("event", log.event(&event.key).await);
        assert!(record.is_some_and(|record| record.event == event), "the log has the same bytes");
    }
}

pub(crate) async fn a_body_of_no_bytes_comes_back(store: &mut Subject) -> Done {
    body_reads_back(store, "e", Bytes::new()).await;
    Ok(())
}

pub(crate) async fn a_body_of_one_byte_comes_back(store: &mut Subject) -> Done {
    body_reads_back(store, "e", Bytes::from_static(b"0")).await;
    Ok(())
}

pub(crate) async fn a_body_of_every_byte_comes_back(store: &mut Subject) -> Done {
    body_reads_back(store, "e", (0..=u8::MAX).cycle().take(1024).collect()).await;
    Ok(())
}

pub(crate) async fn a_body_with_nul_comes_back(store: &mut Subject) -> Done {
    body_reads_back(store, "e", Bytes::from_static(b"{\"a\":\"\0\"}\0\0")).await;
    Ok(())
}

pub(crate) async fn a_body_that_is_no_utf_8_comes_back(store: &mut Subject) -> Done {
    body_reads_back(store, "e", Bytes::from_static(b"\xff\xfe\xc3\x28\xed\xa0\x80")).await;
    Ok(())
}

pub(crate) async fn a_body_of_one_mebibyte_comes_back(store: &mut Subject) -> Done {
    body_reads_back(store, "e", Bytes::from(vec![b'x'; MEBIBYTE])).await;
    Ok(())
}

async fn response_reads_back(store: &Subject, body: Bytes) -> Done {
    store.holds(&["e"], &["a"]).await;
    let mut response = Response::new(500);
    response.body = body;
    let change = answered(&store.claim_one(0, 1).await, 1, 5, response);
    store.applied(std::slice::from_ref(&change)).await;
    assert!(store.attempts("e", "a").await? == change.attempts(), "the response's bytes come back as they were");
    Ok(())
}

pub(crate) async fn a_response_of_no_bytes_comes_back(store: &mut Subject) -> Done {
    response_reads_back(store, Bytes::new()).await
}

pub(crate) async fn a_response_of_every_byte_comes_back(store: &mut Subject) -> Done {
    response_reads_back(store, (0..=u8::MAX).collect()).await
}

pub(crate) async fn a_response_of_16_kib_comes_back(store: &mut Subject) -> Done {
    response_reads_back(store, Bytes::from(vec![0xf0; 16 << 10])).await
}

pub(crate) async fn texts_of_an_attempt_come_back_with_quotes_and_line_ends(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let text = "it's \"odd\";\r\n\t-- \u{0} \u{2028} \\ 😀".to_owned();
    let failure = crate::delivery::SendFailure::new(crate::delivery::Reason::Protocol, text);
    let input = Input::Finished {
        gate: crate::machine::Gate::Open,
        started_at: t(5),
        duration: std::time::Duration::from_micros(1_234_567),
        url: "https://example.com/hook?a='b'&c=%00".into(),
        verdict: Box::new(crate::machine::classify(Err(failure), crate::retry::SuccessRule::Exactly200)),
    };
    let change = change(&store.claim_one(0, 1).await, 1, 9, input);
    store.applied(std::slice::from_ref(&change)).await;
    assert_eq!(store.attempts("e", "a").await?, change.attempts());
    Ok(())
}

pub(crate) async fn an_event_for_a_thousand_endpoints_is_stored_whole(store: &mut Subject) -> Done {
    let names: Vec<String> = (0..1000).map(|n| format!("ep{n}")).collect();
    let endpoints: Vec<&str> = names.iter().map(String::as_str).collect();
    let event = event("e", 0, &endpoints, 0);
    let ids: Vec<_> = event.deliveries.iter().map(|new| new.id).collect();
    store.publish(event).await;
    assert_eq!(store.loads(&ids).await.len(), 1000);
    Ok(())
}

pub(crate) async fn a_batch_of_a_thousand_events_is_stored_whole(store: &mut Subject) -> Done {
    let events: Vec<PublishedEvent> = (0..1000).map(|n| event(&format!("e{n}"), n, &["a"], 0)).collect();
    let ids: Vec<_> = events.iter().map(|event| event.deliveries[0].id).collect();
    store.insert(0, events).await;
    assert_eq!(store.loads(&ids).await.len(), 1000);
    Ok(())
}

pub(crate) async fn an_endpoint_whose_fields_are_as_long_as_allowed_comes_back(store: &mut Subject) -> Done {
    let patterns: Vec<String> = (0..256).map(|n| format!("type{n:03}.*")).collect();
    let long = Endpoint {
        name: named(&"😀".repeat(128)),
        url: named(&format!("https://example.com/{}", "a".repeat(2028))),
        description: "é".repeat(10_000),
        filter: EventFilter::new(&patterns).unwrap_or_else(|error| panic!("{error}")),
        ..endpoint(&"i".repeat(64))
    };
    store.registers(std::slice::from_ref(&long)).await?;
    assert_eq!(store.endpoint(long.id.as_str()).await.as_deref(), Some(&long));
    Ok(())
}

/// Milliseconds of far times need more than 32 bits, and a sign.
pub(crate) async fn times_at_both_ends_of_the_calendar_come_back(store: &mut Subject) -> Done {
    for (id, time) in [("e", Timestamp::MIN), ("f", Timestamp::EPOCH), ("g", Timestamp::MAX)] {
        let mut published = event(id, 0, &["a"], 0);
        published.event = Arc::new(Event { timestamp: time, ..Event::clone(&published.event) });
        published.deliveries[0].start = crate::delivery::Start::Held(time);
        answer("insert", store.store().insert(&PublishBatch { now: time, events: vec![published] }).await);
        let row = store.load(id, "a").await;
        assert_eq!((row.ready_at(), row.as_stored().created_at), (Some(time), time));
        assert_eq!(store.record(id).await?.map(|record| record.event.timestamp), Some(time));
    }
    Ok(())
}

pub(crate) async fn tokens_and_change_ids_of_every_bit_come_back(store: &mut Subject) -> Done {
    for (id, bits) in [("e", 0), ("f", u128::MAX), ("g", 1 << 127), ("h", u128::from(u64::MAX))] {
        store.holds(&[id], &["a"]).await;
        let row = store.claim_one(0, bits).await;
        assert_eq!(row.token(), Some(super::super::sample::token(bits)));
        let change = delivered(&row, bits, 5);
        store.applied(std::slice::from_ref(&change)).await;
        assert_eq!(store.load(id, "a").await.as_stored(), change.next());
    }
    Ok(())
}
