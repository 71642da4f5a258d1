//! All deliveries that match a filter: counted first, then sent again or cancelled, each judged alone.

use std::collections::BTreeMap;
use std::time::Duration;

use notify_core::delivery::State;
use notify_core::testing::Reply;
use notify_core::{Engine, MemoryStore, NewEvent};
use notify_dashboard::{ActionOutcome, Verb};

use crate::fault_store::fault_store;
use crate::fixture::{Page, URL, World, tenant};

const PATH: &str = "/logs/deliveries/matching";

fn world() -> World {
    World::without_retries(Engine::builder(MemoryStore::new()))
}

async fn publish(world: &World, count: usize, reply: Reply) {
    world.transport.respond(URL, vec![reply; count]);
    for _ in 0..count {
        world.publish("{}", &tenant("default")).await;
    }
}

/// So many that are due in ten hours.
async fn publish_later(world: &World, count: usize) {
    let later = world.engine.now().saturating_add(Duration::from_secs(36_000));
    for _ in 0..count {
        let event = NewEvent::new("connection.updated", "{}").unwrap().not_before(later);
        world.engine.publish_event(event).await.unwrap();
    }
}

async fn states(world: &World) -> BTreeMap<State, u64> {
    let mut states = world.engine.history().stats(Some(&tenant("default"))).await.unwrap().by_state;
    states.retain(|_, count| *count > 0);
    states
}

/// Sends the form that the page has, and one that goes on where that is offered.
async fn submit(world: &World, page: &Page) -> Page {
    let forms = page.text.split("<form method=\"post\" action=\"/notify").skip(1);
    let action = forms.filter_map(|form| form.split('"').next()).find(|action| action.starts_with(PATH));
    let action = action.expect("the page has the form").replace("&#38;", "&");
    let mut form = format!("do={}&asked={}", page.after("name=\"do\"", "value"), page.after("name=\"asked\"", "value"));
    if page.text.contains("name=\"cursor\"") {
        form.push_str(&format!("&cursor={}", page.after("name=\"cursor\"", "value")));
    }
    world.post(&action, &form).await
}

#[tokio::test]
async fn all_that_match_the_filter_are_counted_first_and_then_sent_again() {
    let world = world();
    let (crm, _) = world.webhook("crm").await;
    publish(&world, 2, Reply::Status(500)).await;
    publish(&world, 3, Reply::Status(404)).await;
    publish(&world, 1, Reply::Status(200)).await;
    publish_later(&world, 1).await;
    let list = world.get("/logs?by=delivery&status=failed&class=4xx").await.expect(200);
    list.hides("Cancel all that match");
    let link = list.after("<p class=\"actions\"><a class=\"button\"", "href");
    let page = world.get(link.strip_prefix("/notify").unwrap()).await.expect(200);
    page.shows("<h1>Send all that match again</h1>");
    page.shows("<strong>3 deliveries</strong>");
    page.shows("<dt>Status</dt><dd><bdi>Failed</bdi></dd>");
    page.shows("<dt>Last answer</dt><dd><bdi>4xx</bdi></dd>");
    page.shows("Receivers will see a second time");
    assert_eq!(states(&world).await[&State::Scheduled], 1, "looking changes nothing");

    // What is published after the question was asked was not meant.
    world.clock.advance(Duration::from_secs(5));
    publish(&world, 1, Reply::Status(404)).await;
    submit(&world, &page).await.expect(200).shows("<strong>3 sent again</strong>, 0 refused.");
    assert_eq!(
        states(&world).await,
        BTreeMap::from([(State::Scheduled, 4), (State::Failed, 3), (State::Delivered, 1)])
    );
    world.transport.respond(URL, vec![Reply::Status(404); 3]);
    world.engine.run_once().await.unwrap();
    submit(&world, &page).await.expect(200).shows("<strong>0 sent again</strong>");

    let told: Vec<_> =
        world.actions.lock().unwrap().iter().map(|done| (done.verb, done.target.clone(), done.outcome)).collect();
    assert_eq!(told.len(), 2);
    assert_eq!((told[0].0, told[0].2), (Verb::ResendMatching, ActionOutcome::Done));
    assert!(told[0].1.contains("class=4xx") && told[0].1.contains("status=failed"), "{}", told[0].1);

    let page = world.get(&format!("{PATH}?by=delivery&do=resend&webhook={crm}&range=all")).await.expect(200);
    page.shows("<strong>7 deliveries</strong>");
    page.shows("<dt>Webhook</dt><dd><bdi>crm</bdi></dd>");
    page.shows("at any time");
}

#[tokio::test]
async fn all_that_wait_or_are_held_are_cancelled_and_what_has_ended_stays() {
    let world = world();
    let (crm, _) = world.webhook("crm").await;
    publish(&world, 2, Reply::Status(200)).await;
    publish_later(&world, 2).await;
    let list = world.get("/logs?by=delivery").await.expect(200);
    list.shows("Send all that match again");
    list.shows("Cancel all that match");
    let page = world.get(&format!("{PATH}?by=delivery&do=cancel&type=connection.updated")).await.expect(200);
    page.shows("<strong>2 deliveries</strong>");
    page.shows("<dt>Event type</dt><dd><bdi>connection.updated</bdi></dd>");
    // Between the question and the answer one is held, one comes to be that was not meant.
    world.engine.endpoints().disable(&tenant("default"), &crm.parse().unwrap(), "Ana").await.unwrap();
    world.clock.advance(Duration::from_secs(5));
    publish_later(&world, 1).await;
    submit(&world, &page).await.expect(200).shows("<strong>2 cancelled</strong>, 0 refused.");
    assert_eq!(states(&world).await, BTreeMap::from([(State::Held, 1), (State::Cancelled, 2), (State::Delivered, 2)]));
    let nothing = world.get(&format!("{PATH}?by=delivery&do=cancel&status=delivered")).await.expect(200);
    nothing.shows("none to cancel");
    nothing.hides("name=\"asked\"");
    assert_eq!(world.actions.lock().unwrap()[0].verb, Verb::CancelMatching);
}

#[tokio::test]
async fn one_form_does_a_thousand_and_the_next_goes_on() {
    let world = world();
    let (gone, _) = world.webhook("gone").await;
    world.webhook("crm").await;
    let owner = tenant("default");
    for _ in 0..550 {
        world.engine.publish_event(NewEvent::new("a.b", "{}").unwrap()).await.unwrap();
    }
    while world.engine.run_once().await.unwrap().delivered > 0 {}
    world.engine.endpoints().delete(&owner, &gone.parse().unwrap()).await.unwrap();
    assert_eq!(states(&world).await, BTreeMap::from([(State::Delivered, 1_100)]));
    let page = world.get(&format!("{PATH}?by=delivery&do=resend")).await.expect(200);
    page.shows("<strong>100+ deliveries</strong>");
    let first = submit(&world, &page).await.expect(200);
    first.shows("<strong>500 sent again</strong>, 500 refused.");
    first.shows("where its webhook is deleted");
    first.shows("There may be more");
    let second = submit(&world, &first).await.expect(200);
    second.shows("<strong>50 sent again</strong>, 50 refused.");
    second.hides("There may be more");
    second.hides("Go on");
    assert_eq!(states(&world).await, BTreeMap::from([(State::Delivered, 550), (State::Scheduled, 550)]));
}

#[tokio::test]
async fn where_the_store_fails_half_way_the_page_tells_what_was_done_and_goes_on() {
    let store = fault_store();
    let world = World::without_retries(Engine::builder(store.clone()));
    world.webhook("crm").await;
    publish(&world, 5, Reply::Status(500)).await;
    let page = world.get(&format!("{PATH}?by=delivery&do=resend&status=failed")).await.expect(200);
    // A page of the log; then four calls for each delivery.
    store.between().fail_after(1 + 2 * 4);
    let broke = submit(&world, &page).await.expect(503);
    assert!(store.between().open(), "it failed");
    broke.shows("2 were sent again and 0 refused before that");
    assert_eq!(broke.header("retry-after"), "5");
    submit(&world, &broke).await.expect(200).shows("<strong>3 sent again</strong>");
    assert_eq!(states(&world).await, BTreeMap::from([(State::Scheduled, 5)]));
    world.engine.run_once().await.unwrap();
    assert_eq!(world.transport.sent_to(URL).len(), 10);
    let outcomes: Vec<_> = world.actions.lock().unwrap().iter().map(|action| action.outcome).collect();
    assert_eq!(outcomes, [ActionOutcome::Refused, ActionOutcome::Done]);
}

#[tokio::test]
async fn who_may_not_resend_is_refused_and_another_tenant_s_deliveries_are_not_found() {
    let world = world();
    world.webhook("crm").await;
    publish(&world, 1, Reply::Status(500)).await;
    let viewer = [("x-role", "viewer"), ("sec-fetch-site", "same-origin")];
    world.call("GET", "/logs?by=delivery", &viewer, "").await.expect(200).hides("all that match");
    world.get("/logs").await.expect(200).hides("all that match");
    let path = format!("{PATH}?by=delivery&do=resend&range=all");
    let form = "do=resend&asked=9999999999999";
    world.call("GET", &path, &viewer, "").await.expect(403);
    world.call("POST", &path, &viewer, form).await.expect(403);
    world.call("POST", &path, &[("sec-fetch-site", "cross-site")], form).await.expect(403);
    let blue = [("x-tenant", "blue"), ("sec-fetch-site", "same-origin")];
    world.call("GET", &path, &blue, "").await.expect(200).shows("none to send again");
    world.call("POST", &path, &blue, form).await.expect(200).shows("<strong>0 sent again</strong>");
    for (query, form) in [
        ("by=delivery", "do=resend"),
        ("by=delivery", "do=delete&asked=0"),
        ("by=delivery", "asked=0"),
        ("by=delivery", "do=resend&asked=soon"),
        ("by=delivery", "do=resend&asked=0&cursor=c1"),
        // All events are no deliveries, and a misspelt filter is not all deliveries.
        ("range=all", form),
        ("by=delivery&status=bad", form),
        ("by=delivery&from=yesterday", form),
    ] {
        world.post(&format!("{PATH}?{query}"), form).await.expect(400);
    }
    for query in ["by=delivery", "by=delivery&do=delete", "do=resend", "by=delivery&do=resend&status=bad"] {
        world.get(&format!("{PATH}?{query}")).await.expect(400);
    }
    assert_eq!(states(&world).await, BTreeMap::from([(State::Failed, 1)]));
    assert_eq!(world.actions.lock().unwrap().len(), 1, "what was refused did nothing");
}
