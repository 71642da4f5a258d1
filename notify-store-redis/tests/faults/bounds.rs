//! What one call costs does not grow with what waits.

use notify_core::store::{DeliveryLog as _, DeliveryQuery, EndpointAdmin as _, PageRequest, Store as _, SweepAction};
use notify_core::testing::kit::sample::{batch, claim, delivered, endpoint, event, free, sweep, t, token};
use notify_store_redis::RedisStore;
use notify_test_servers::{RedisServer, require};

use crate::world::open;

const ENDPOINTS: usize = 100;

/// Commands that ran within scripts, and bytes that were answered, during a call.
#[derive(Clone, Copy, Debug)]
struct Cost {
    commands: u64,
    bytes: u64,
}

/// C36: a script moved or read all due entries at once elsewhere, and Redis stood still for seconds.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_costs_the_same_whether_a_thousand_or_twenty_thousand_deliveries_are_due_at_once() {
    let Some(server) = require(RedisServer::start(&[("slowlog-log-slower-than", "0"), ("slowlog-max-len", "4096")]))
    else {
        return;
    };
    let few = costs(&server, "few", 1_000).await;
    let many = costs(&server, "many", 20_000).await;
    for ((name, few), (_, many)) in few.iter().zip(&many) {
        println!("{name}: {few:?} of 1,000, {many:?} of 20,000");
        assert!(many.commands <= few.commands + few.commands / 4 + 20, "{name}: {few:?} became {many:?}");
        assert!(many.bytes <= few.bytes + few.bytes / 4 + 4_096, "{name}: {few:?} became {many:?}");
    }
    println!("slowest command since: {} us", slowest(&server));
}

async fn costs(server: &RedisServer, namespace: &str, deliveries: usize) -> Vec<(&'static str, Cost)> {
    let store = open(&server.url(), namespace, 1).await;
    let names: Vec<String> = (0..ENDPOINTS).map(|number| format!("ep_{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for name in &names {
        store.create(&endpoint(name)).await.unwrap();
    }
    for from in (0..deliveries / ENDPOINTS).step_by(5) {
        let events = (from..from + 5).map(|number| event(&format!("evt_{number}"), 1, &names, 0)).collect();
        store.insert(&batch(0, events)).await.unwrap();
    }
    let () = server.run(&["SLOWLOG", "RESET"]);
    let mut costs = Vec::new();
    let mut request = claim(0, 1);
    (request.limit, request.free) = (64, free(2, &[]));
    let before = total(server);
    let claimed = store.claim(&request).await.unwrap().claimed;
    costs.push(("claim", since(server, before)));
    assert_eq!(claimed.len(), 64);

    // A flooded endpoint, and all others full.
    request.free = free(0, &[(names[0], 5)]);
    request.token = token(2);
    let before = total(server);
    store.claim(&request).await.unwrap();
    costs.push(("claim of one endpoint", since(server, before)));

    let changes: Vec<_> = (100..).zip(&claimed).map(|(id, row)| delivered(&row.delivery, id, 5)).collect();
    let before = total(server);
    store.apply(&changes).await.unwrap();
    costs.push(("apply", since(server, before)));

    costs.push(("log page", page(server, &store).await));
    let before = total(server);
    store.stats(None, t(0)).await.unwrap();
    costs.push(("stats", since(server, before)));

    let before = total(server);
    store.sweep(&sweep(names[1], SweepAction::Hold, 5, 5)).await.unwrap();
    costs.push(("sweep", since(server, before)));
    let before = total(server);
    store.prune(t(0), 10).await.unwrap();
    costs.push(("prune", since(server, before)));
    costs
}

async fn page(server: &RedisServer, store: &RedisStore) -> Cost {
    let mut query = DeliveryQuery::default();
    query.page = PageRequest { after: None, limit: 50 };
    let before = total(server);
    assert_eq!(store.deliveries(&query).await.unwrap().items.len(), 50);
    since(server, before)
}

fn total(server: &RedisServer) -> Cost {
    let stats: String = server.run(&["INFO", "commandstats"]);
    let calls = stats.lines().filter_map(|line| line.split_once(":calls=")?.1.split(',').next()?.parse::<u64>().ok());
    Cost { commands: calls.sum(), bytes: server.info("total_net_output_bytes") }
}

fn since(server: &RedisServer, before: Cost) -> Cost {
    let now = total(server);
    Cost { commands: now.commands - before.commands, bytes: now.bytes - before.bytes }
}

fn slowest(server: &RedisServer) -> u64 {
    let entries: Vec<redis::Value> = server.run(&["SLOWLOG", "GET", "-1"]);
    let micros = |entry: &redis::Value| match entry {
        redis::Value::Array(fields) => match fields.get(2) {
            Some(redis::Value::Int(micros)) => u64::try_from(*micros).ok(),
            _ => None,
        },
        _ => None,
    };
    entries.iter().filter_map(micros).max().unwrap_or(0)
}
