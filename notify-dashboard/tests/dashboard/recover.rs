//! What failed for a webhook is sent again in one go.

use std::time::Duration;

use notify_core::delivery::State;
use notify_core::store::DeliveryQuery;
use notify_core::testing::Reply;
use notify_core::{Engine, EngineBuilder, MemoryStore, Policy, RetrySchedule};
use notify_dashboard::{ActionOutcome, Verb};

use crate::fault_store::fault_store;
use crate::fixture::{URL, World, tenant};

/// What fails here has failed for good.
fn without_retries(engine: EngineBuilder) -> World {
    let mut policy = Policy::default();
    policy.schedule = RetrySchedule::never();
    World::of(engine.policy(policy), |dashboard| dashboard)
}

fn world() -> World {
    without_retries(Engine::builder(MemoryStore::new()))
}

/// So many deliveries that failed, to every webhook of the tenant.
async fn fail(world: &World, count: usize, owner: &str) {
    world.transport.respond(URL, vec![Reply::Status(500); count]);
    for _ in 0..count {
        world.publish("{}", &tenant(owner)).await;
    }
}

/// How many of the tenant's deliveries are in their second round, and wait for it.
async fn sent_again(world: &World, owner: &str) -> usize {
    let mut query = DeliveryQuery::default();
    query.tenant = tenant(owner);
    query.page.limit = 100;
    let mut found = 0;
    loop {
        let page = world.engine.history().deliveries(&query).await.unwrap();
        let again = page.items.iter().filter(|row| row.state() == State::Scheduled && row.as_stored().round.get() == 2);
        found += again.count();
        query.page.after = page.next;
        if page.next.is_none() {
            return found;
        }
    }
}

#[tokio::test]
async fn what_failed_in_the_time_range_is_counted_first_and_then_sent_again() {
    let world = world();
    let (crm, _) = world.webhook("crm").await;
    world.webhook_of("blue one", &tenant("blue")).await;
    fail(&world, 1, "default").await;
    world.clock.advance(Duration::from_secs(3 * 3600));
    fail(&world, 2, "default").await;
    fail(&world, 1, "blue").await;
    world.publish("{}", &tenant("default")).await;
    let path = format!("/webhooks/{crm}/recover");
    world.get(&format!("/webhooks/{crm}")).await.expect(200).shows(&format!("href=\"/notify{path}\""));

    world.get(&path).await.expect(200).shows("<strong>3 deliveries</strong>");
    let page = world.get(&format!("{path}?range=1h")).await.expect(200);
    page.shows("<strong>2 deliveries</strong>");
    page.hides("blue one");
    assert_eq!(sent_again(&world, "default").await, 0, "looking changes nothing");

    let since = page.after("name=\"since\"", "value");
    let done = world.post(&path, &format!("since={since}")).await.expect(200);
    done.shows("<strong>2 sent again</strong>");
    done.hides("There may be more");
    assert_eq!(sent_again(&world, "default").await, 2);
    assert_eq!(sent_again(&world, "blue").await, 0);
    world.get(&format!("{path}?range=1h")).await.expect(200).shows("Nothing that was published since");
    world.get(&path).await.expect(200).shows("<strong>1 delivery</strong>");

    let told: Vec<_> =
        world.actions.lock().unwrap().iter().map(|done| (done.verb, done.target.clone(), done.outcome)).collect();
    assert_eq!(told, [(Verb::RecoverWebhook, crm, ActionOutcome::Done)]);
    world.engine.run_once().await.unwrap();
    assert_eq!(world.transport.sent_to(URL).len(), 7, "five first attempts, and two that were sent again");
}

#[tokio::test]
async fn a_disabled_webhook_s_are_held_and_the_page_says_so() {
    let world = world();
    let (crm, _) = world.webhook("crm").await;
    fail(&world, 1, "default").await;
    world.engine.endpoints().disable(&tenant("default"), &crm.parse().unwrap(), "Ana").await.unwrap();
    let path = format!("/webhooks/{crm}/recover");
    world.get(&path).await.expect(200).shows("is held until it is enabled");
    world.post(&path, "since=0").await.expect(200).shows("They are held until the webhook is enabled.");
    world.get(&format!("/webhooks/{crm}")).await.expect(200).shows("1 delivery held");
}

#[tokio::test]
async fn who_may_not_resend_sees_no_way_to_it_and_another_tenant_s_webhook_looks_missing() {
    let world = world();
    let (crm, _) = world.webhook("crm").await;
    fail(&world, 1, "default").await;
    let path = format!("/webhooks/{crm}/recover");
    let viewer = [("x-role", "viewer"), ("sec-fetch-site", "same-origin")];
    world.call("GET", &format!("/webhooks/{crm}"), &viewer, "").await.expect(200).hides("/recover");
    world.call("GET", &path, &viewer, "").await.expect(403);
    world.call("POST", &path, &viewer, "since=0").await.expect(403);
    let blue = [("x-tenant", "blue"), ("sec-fetch-site", "same-origin")];
    world.call("GET", &path, &blue, "").await.expect(404).hides("crm");
    world.call("POST", &path, &blue, "since=0").await.expect(404);
    for form in ["", "since=soon", "since=0&cursor=c1"] {
        world.post(&path, form).await.expect(400);
    }
    let across = [("sec-fetch-site", "cross-site")];
    world.call("POST", &path, &across, "since=0").await.expect(403);
    assert_eq!(sent_again(&world, "default").await, 0);
}

#[tokio::test]
async fn where_the_store_fails_half_way_the_page_tells_how_many_went_and_goes_on() {
    let store = fault_store();
    let world = without_retries(Engine::builder(store.clone()));
    let (crm, _) = world.webhook("crm").await;
    fail(&world, 101, "default").await;
    let path = format!("/webhooks/{crm}/recover");
    world.get(&path).await.expect(200).shows("<strong>100+ deliveries</strong>");

    // The webhook; then for each hundred the webhook, a page of the log and one write.
    store.between().fail_after(4);
    let page = world.post(&path, "since=0").await.expect(503);
    assert!(store.between().open(), "it failed");
    page.shows("100 were sent again before that");
    assert_eq!(page.header("retry-after"), "5");
    assert_eq!(sent_again(&world, "default").await, 100);

    let cursor = page.after("name=\"cursor\"", "value");
    let page = world.post(&path, &format!("since=0&cursor={cursor}")).await.expect(200);
    page.shows("<strong>1 sent again</strong>");
    assert_eq!(sent_again(&world, "default").await, 101);
}
