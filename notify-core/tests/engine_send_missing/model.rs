//! Any order of publishes, new endpoints and calls, held against a set of pairs.

use std::collections::BTreeSet;

use notify_core::testing::Reply;
use notify_core::{EndpointId, EndpointPatch, NewEvent, Timestamp};
use proptest::prelude::*;

use crate::common::{Host, URL, id, secs, t0};
use crate::{mine, missing, request, send_all};

/// One thing that happens in the world of the model.
#[derive(Clone, Debug)]
enum Act {
    /// A live event of one of three types is published.
    Publish(usize),
    /// A test is sent to one of the endpoints.
    Ping(usize),
    /// An endpoint that wants one of the types, or all, comes to be.
    Create(Option<usize>),
    /// What is missing of all time, or of the last seconds, is sent to one of the endpoints.
    Send { to: usize, last: Option<u64>, limit: u32 },
}

const TYPES: [&str; 3] = ["a.one", "a.two", "b.one"];

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        5 => (0..TYPES.len()).prop_map(Act::Publish),
        1 => (0usize..8).prop_map(Act::Ping),
        2 => prop::option::of(0..TYPES.len()).prop_map(Act::Create),
        3 => (0usize..8, prop::option::of(1u64..20), 1u32..6).prop_map(|(to, last, limit)| Act::Send { to, last, limit }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// The model is a set of pairs: which event is for which endpoint.
    #[test]
    fn an_event_is_sent_to_whom_a_plain_set_of_pairs_says(acts in prop::collection::vec(act(), 0..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (found, expected) = runtime.block_on(async {
            let host = Host::new(Reply::Status(200));
            let mut endpoints: Vec<(EndpointId, Option<usize>)> = Vec::new();
            let mut events: Vec<(String, usize, Timestamp)> = Vec::new();
            let mut pairs: BTreeSet<(String, EndpointId)> = BTreeSet::new();
            for act in acts {
                // So that no publish uses what an earlier one read of the endpoints.
                host.clock.advance(secs(2));
                let now = host.engine.now();
                match act {
                    Act::Publish(of) => {
                        let event = NewEvent::new(TYPES[of], "{}").unwrap();
                        let event = host.engine.publish_event(event).await.unwrap().event_id.to_string();
                        let wanting = endpoints.iter().filter(|(_, wants)| wants.is_none_or(|wanted| wanted == of));
                        pairs.extend(wanting.map(|(endpoint, _)| (event.clone(), endpoint.clone())));
                        events.push((event, of, now));
                    }
                    Act::Ping(to) if to < endpoints.len() => {
                        let receipt = host.engine.endpoints().ping(&mine(), &endpoints[to].0).await.unwrap();
                        pairs.insert((receipt.event_id.to_string(), endpoints[to].0.clone()));
                    }
                    Act::Create(wants) => {
                        let created = host.endpoint(URL).await;
                        let mut patch = EndpointPatch::default();
                        patch.events = wants.map(|of| Some(vec![TYPES[of].into()]));
                        host.engine.endpoints().update(&mine(), id(&created), &patch).await.unwrap();
                        endpoints.push((id(&created).clone(), wants));
                    }
                    Act::Send { to, last, limit } if to < endpoints.len() => {
                        let (endpoint, wants) = &endpoints[to];
                        let since = last.map_or(t0(), |seconds| now.saturating_sub(secs(seconds)));
                        let mut request = request(endpoint, since);
                        request.page.limit = limit;
                        let wanted = events.iter().filter(|(_, of, at)| {
                            *at >= since && wants.is_none_or(|wanted| wanted == *of)
                        });
                        let before = pairs.len();
                        pairs.extend(wanted.map(|(event, ..)| (event.clone(), endpoint.clone())));
                        assert_eq!(missing(&host.engine, request.clone()).await, pairs.len() - before);
                        assert_eq!(send_all(&host.engine, request).await.0 as usize, pairs.len() - before);
                    }
                    Act::Ping(_) | Act::Send { .. } => {}
                }
            }
            let found: Vec<_> = host.deliveries().await.into_iter().map(|delivery| {
                (delivery.event().id.to_string(), delivery.endpoint().clone())
            }).collect();
            (found, pairs)
        });
        prop_assert_eq!(found.len(), expected.len());
        prop_assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
    }
}
