//! What failed for a webhook is sent again in one go, and so is what it never got.

use std::time::Duration;

use notify_core::delivery::State;
use notify_core::store::DeliveryQuery;
use notify_core::testing::Reply;
use notify_core::{Engine, MemoryStore};
use notify_dashboard::{ActionOutcome, Verb};

use crate::fault_store::fault_store;
use crate::fixture::{URL, World, tenant};

fn world() -> World {
    World::without_retries(Engine::builder(MemoryStore::new()))
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
    let world = World::without_retries(Engine::builder(store.clone()));
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

/// So many events that nobody was there for.
async fn publish(world: &World, count: usize, owner: &str) {
    for _ in 0..count {
        world.publish("{}", &tenant(owner)).await;
    }
}

#[tokio::test]
async fn what_a_webhook_never_got_is_counted_first_and_then_sent() {
    let world = world();
    publish(&world, 1, "default").await;
    world.clock.advance(Duration::from_secs(3 * 3600));
    publish(&world, 2, "default").await;
    publish(&world, 1, "blue").await;
    let (late, _) = world.webhook("late").await;
    publish(&world, 1, "default").await;
    assert_eq!(world.transport.sent_to(URL).len(), 1);
    let path = format!("/webhooks/{late}/missing");
    world.get(&format!("/webhooks/{late}")).await.expect(200).shows(&format!("href=\"/notify{path}\""));

    let page = world.get(&path).await.expect(200);
    page.shows("<strong>3 events</strong>");
    page.shows("The newest was published <time datetime=\"2026-01-01T03:00:00.000Z\"");
    page.shows(", the oldest <time datetime=\"2026-01-01T00:00:00.000Z\"");
    let page = world.get(&format!("{path}?range=1h")).await.expect(200);
    page.shows("<strong>2 events</strong>");
    page.shows(&format!("href=\"/notify/webhooks/{late}/recover?range=1h\""));
    assert_eq!(
        world.engine.history().stats(None).await.unwrap().by_state.values().sum::<u64>(),
        1,
        "looking sends nothing"
    );

    let since = page.after("name=\"since\"", "value");
    world.post(&path, &format!("since={since}")).await.expect(200).shows("<strong>2 sent</strong>");
    world.engine.run_once().await.unwrap();
    assert_eq!(world.transport.sent_to(URL).len(), 3);
    world.post(&path, &format!("since={since}")).await.expect(200).shows("<strong>0 sent</strong>");
    world.get(&format!("{path}?range=1h")).await.expect(200).shows("Nothing is missing");
    world.get(&path).await.expect(200).shows("<strong>1 event</strong>");
    let told: Vec<_> =
        world.actions.lock().unwrap().iter().map(|done| (done.verb, done.target.clone(), done.outcome)).collect();
    assert_eq!(told, vec![(Verb::SendMissing, late, ActionOutcome::Done); 2]);
}

#[tokio::test]
async fn one_form_sends_about_a_thousand_that_were_missing_and_the_next_goes_on() {
    let world = world();
    publish(&world, 1_050, "default").await;
    let (late, _) = world.webhook("late").await;
    world.engine.endpoints().disable(&tenant("default"), &late.parse().unwrap(), "Ana").await.unwrap();
    let path = format!("/webhooks/{late}/missing");
    let page = world.get(&path).await.expect(200);
    page.shows("<strong>100+ events</strong>");
    page.shows("The newest was published");
    page.hides(", the oldest");
    page.shows("is held until it is enabled");
    let page = world.post(&path, "since=0").await.expect(200);
    page.shows("<strong>1000 sent</strong>");
    page.shows("There may be more");
    let cursor = page.after("name=\"cursor\"", "value");
    let page = world.post(&path, &format!("since=0&cursor={cursor}")).await.expect(200);
    page.shows("<strong>50 sent</strong>");
    page.hides("There may be more");
    world.get(&format!("/webhooks/{late}")).await.expect(200).shows("100+ deliveries held");
}

#[tokio::test]
async fn what_is_missing_is_sent_by_who_may_resend_and_to_nobody_else_s_webhook() {
    let world = world();
    publish(&world, 1, "default").await;
    let (late, _) = world.webhook("late").await;
    let path = format!("/webhooks/{late}/missing");
    let viewer = [("x-role", "viewer"), ("sec-fetch-site", "same-origin")];
    world.call("GET", &format!("/webhooks/{late}"), &viewer, "").await.expect(200).hides("/missing");
    world.call("GET", &path, &viewer, "").await.expect(403);
    world.call("POST", &path, &viewer, "since=0").await.expect(403);
    let blue = [("x-tenant", "blue"), ("sec-fetch-site", "same-origin")];
    world.call("GET", &path, &blue, "").await.expect(404).hides("late");
    world.call("POST", &path, &blue, "since=0").await.expect(404);
    for form in ["", "since=soon", "since=0&cursor=c1"] {
        world.post(&path, form).await.expect(400);
    }
    world.call("POST", &path, &[("sec-fetch-site", "cross-site")], "since=0").await.expect(403);
    assert!(world.engine.history().stats(None).await.unwrap().by_state.is_empty());
}

#[tokio::test]
async fn where_the_store_fails_half_way_the_rest_of_what_was_missing_goes_with_the_next_form() {
    let store = fault_store();
    let world = World::without_retries(Engine::builder(store.clone()));
    publish(&world, 3, "default").await;
    let (late, _) = world.webhook("late").await;
    let path = format!("/webhooks/{late}/missing");
    // The webhook, twice, a page of the log, and two of three writes.
    store.between().fail_after(5);
    world.post(&path, "since=0").await.expect(503);
    assert!(store.between().open(), "it failed");
    world.post(&path, "since=0").await.expect(200).shows("<strong>1 sent</strong>");
    world.engine.run_once().await.unwrap();
    assert_eq!(world.transport.sent_to(URL).len(), 3);
}
