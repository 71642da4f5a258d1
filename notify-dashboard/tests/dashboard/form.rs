//! The form of a webhook: every field of it, what is refused, and what an empty one means.

use std::time::Duration;

use notify_core::endpoint::{EndpointStatus, PolicyOverrides};
use notify_core::retry::{Jitter, RetryAfterRule};
use notify_core::{Endpoint, SuccessRule};
use notify_dashboard::ActionOutcome;

use crate::fixture::{URL, World, tenant};

const BASE: &str = "name=crm&url=https%3A%2F%2Fcrm.example.com%2Fhook";
const OWN: &str = "&success=2xx&schedule=1min%2C+90min%2C2h&timeout=20s&jitter=15&retry_after=1h";

async fn stored(world: &World, path: &str) -> Endpoint {
    let id = path.strip_prefix("/webhooks/").unwrap().parse().unwrap();
    Endpoint::clone(&*world.engine.endpoints().get(&tenant("default"), &id).await.unwrap())
}

/// Creates a webhook by the form, and gives the path of its page.
async fn created(world: &World, more: &str) -> String {
    let page = world.post("/webhooks", &format!("{BASE}{more}")).await.expect(201);
    page.after("class=\"button\"", "href").strip_prefix("/notify").unwrap().to_owned()
}

#[tokio::test]
async fn every_field_of_the_policy_is_stored_shown_again_and_put_back_by_an_empty_field() {
    let world = World::new();
    let path = created(&world, OWN).await;
    let own = PolicyOverrides {
        schedule: Some("1min,90min,2h".parse().unwrap()),
        success: Some(SuccessRule::Any2xx),
        timeout: Some(Duration::from_secs(20)),
        jitter: Jitter::percent(15),
        retry_after: Some(RetryAfterRule::UpTo(Duration::from_secs(3_600))),
    };
    assert_eq!(stored(&world, &path).await.policy, own);

    let form = world.get(&format!("{path}/edit")).await.expect(200);
    assert_eq!(form.after("id=\"schedule\"", "value"), "1min,90min,2h");
    assert_eq!(form.after("id=\"timeout\"", "value"), "20s");
    assert_eq!(form.after("id=\"jitter\"", "value"), "15");
    assert_eq!(form.after("id=\"retry_after\"", "value"), "1h");
    form.shows("value=\"2xx\" checked");
    let page = world.get(&path).await.expect(200);
    page.shows("any 2xx, within 20 s");
    page.shows("retries after 1 min, 1 h 30 min, 2 h");

    world.post(&path, &format!("{BASE}&success=200&schedule=none&retry_after=none&jitter=0")).await.location();
    let narrowed = stored(&world, &path).await.policy;
    assert_eq!((narrowed.success, narrowed.timeout), (Some(SuccessRule::Exactly200), None));
    assert_eq!(narrowed.schedule.unwrap().delays().len(), 0);
    assert_eq!((narrowed.retry_after, narrowed.jitter), (Some(RetryAfterRule::Ignore), Jitter::percent(0)));

    world.post(&path, &format!("{BASE}&success=&schedule=&timeout=&jitter=&retry_after=")).await.location();
    assert_eq!(stored(&world, &path).await.policy, PolicyOverrides::default());
}

#[tokio::test]
async fn a_field_that_cannot_be_read_is_told_beside_it_and_nothing_of_the_form_is_saved() {
    let world = World::new();
    let path = created(&world, OWN).await;
    let before = stored(&world, &path).await;
    for (field, typed, words) in [
        ("schedule", "5 minutes", "write a whole number and ms, s, min, h or d, like 5min"),
        ("schedule", "5min,,2h", "&#34;&#34; is no delay"),
        ("schedule", "400d", "a retry delay is at most 366 days"),
        ("timeout", "soon", "Timeout is no time"),
        ("timeout", "1s,2s", "Timeout is no time"),
        ("timeout", "31s", "at most the engine&#39;s 30000 ms"),
        ("timeout", "0s", "Timeout"),
        ("jitter", "101", "a whole number of percent, 0 to 100"),
        ("jitter", "-1", "a whole number of percent, 0 to 100"),
        ("retry_after", "tomorrow", "or none"),
        ("retry_after", "400d", "or none"),
        ("success", "3xx", "Success is 200 or 2xx"),
    ] {
        let sent = typed.replace(' ', "+").replace(',', "%2C");
        for target in [path.as_str(), "/webhooks"] {
            let form = format!("name=changed&url=https%3A%2F%2Fother.example.com&description=kept&{field}={sent}");
            let page = world.post(target, &form).await.expect(422);
            page.shows(&format!("id=\"{field}-error\""));
            page.shows(words);
            page.shows("value=\"changed\"");
            page.shows("value=\"https://other.example.com\"");
            page.shows("kept");
            if field != "success" {
                assert_eq!(page.after(&format!("id=\"{field}\""), "value"), typed);
                page.shows(&format!("aria-describedby=\"{field}-hint {field}-error\""));
            }
        }
    }
    assert_eq!(stored(&world, &path).await, before);
    assert_eq!(world.get("/webhooks").await.expect(200).text.matches("class=\"row\"").count(), 1);
    let done = world.actions.lock().unwrap().iter().filter(|action| action.outcome == ActionOutcome::Done).count();
    assert_eq!(done, 1, "the first one alone");
}

#[tokio::test]
async fn the_times_of_a_schedule_are_shown_before_it_is_saved() {
    let world = World::new();
    let path = created(&world, "").await;
    let before = stored(&world, &path).await;
    world.get("/webhooks/new").await.expect(200).shows("2026-01-01T17:35:00.000Z");
    for target in [path.as_str(), "/webhooks"] {
        let form = format!("{BASE}&schedule=5min%2C+3h&description=kept&times=1");
        let page = world.post(target, &form).await.expect(200);
        for at in ["00:00:00", "00:05:00", "03:05:00"] {
            page.shows(&format!("2026-01-01T{at}.000Z"));
        }
        page.shows("3 h after the attempt before");
        page.hides("17:35:00");
        page.shows("kept");
        page.shows("value=\"crm\"");
        world.post(target, &format!("{BASE}&schedule=x&times=1")).await.expect(422).shows("id=\"schedule-error\"");
    }
    assert_eq!(stored(&world, &path).await, before);
    assert_eq!(world.actions.lock().unwrap().len(), 1, "looking at times is no change");
}

#[tokio::test]
async fn a_webhook_that_is_disabled_at_first_gets_nothing_until_it_is_enabled() {
    let world = World::new();
    let path = created(&world, "&disabled=1").await;
    let EndpointStatus::Disabled(disabled) = stored(&world, &path).await.status else { panic!("it is disabled") };
    assert_eq!(disabled.by, "Ana");
    world.publish("{}", &tenant("default")).await;
    assert!(world.transport.sent().is_empty());
    world.get(&path).await.expect(200).shows("1 delivery held");
    world.post(&format!("{path}/enable"), "backlog=resume").await.location();
    world.engine.run_once().await.unwrap();
    assert_eq!(world.transport.sent_to(URL).len(), 1);
    world.get(&format!("{path}/edit")).await.expect(200).hides("Disabled at first");
}
