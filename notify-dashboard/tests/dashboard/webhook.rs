//! One webhook's page and tabs: the test event with its result, and its history.

use std::time::Duration;

use notify_core::delivery::{Reason, Response};
use notify_core::testing::Reply;
use notify_core::{Engine, MemoryStore};

use crate::fixture::{URL, World, tenant};

#[tokio::test]
async fn a_test_event_s_result_is_on_the_page_that_sent_it_as_soon_as_there_is_one() {
    let world = World::new();
    let (id, _) = world.webhook("crm").await;
    let path = format!("/webhooks/{id}");
    world.get(&path).await.expect(200).hides("data-live=\"ping\"");
    let mut answer = Response::new(422);
    answer.body = "no such <connection>".into();
    world.transport.respond(URL, [Reply::Response(answer), Reply::Failure(Reason::ResponseTimeout)]);

    let result = world.post(&format!("{path}/ping"), "type=connection.created").await.location();
    assert!(result.starts_with(&format!("{path}?ping=dlv_")), "{result}");
    let waiting = world.get(&result).await.expect(200);
    waiting.shows("It waits to be sent.");
    waiting.shows("data-soon");
    assert_eq!(waiting.after("data-live=\"ping\"", " href"), format!("/notify{result}"), "the link to look again");
    world.engine.run_once().await.unwrap();

    let page = world.get(&result).await.expect(200);
    page.shows("<strong>Test event</strong> <span class=\"type\">connection.created</span>");
    page.shows("Retrying");
    page.shows("422");
    page.shows("no such &#60;connection&#62;");
    page.hides("See the result");
    page.hides("data-soon");
    let body = String::from_utf8(world.transport.sent()[0].body.to_vec()).unwrap();
    assert!(body.contains(r#""event":"connection.created""#) && body.contains("connection_id"), "{body}");

    world.clock.advance(Duration::from_secs(300));
    world.engine.run_once().await.unwrap();
    world.get(&result).await.expect(200).shows(&Reason::ResponseTimeout.sentence()[1..]);

    let viewer = world.call("GET", &result, &[("x-role", "viewer")], "").await.expect(200);
    viewer.shows("connection.created");
    viewer.hides("no such");
    viewer.hides("name=\"type\"");
}

#[tokio::test]
async fn a_type_that_is_none_is_told_beside_the_field_and_nothing_is_sent() {
    let world = World::of(Engine::builder(MemoryStore::new()).only_registered_event_types(), |dashboard| dashboard);
    let (id, _) = world.webhook("crm").await;
    for (typed, words) in [
        ("Connection", "Not an event type: two or more words"),
        ("a..b", "Not an event type"),
        ("connection.craeted", "Did you mean connection.created?"),
        ("invoice.paid", "no event type with that name is registered"),
    ] {
        let page = world.post(&format!("/webhooks/{id}/ping"), &format!("type={typed}")).await.expect(422);
        page.shows("id=\"type-error\"");
        page.shows(words);
        assert_eq!(page.after("id=\"type\"", "value"), typed);
        page.shows("<title>Error: crm");
    }
    world.engine.run_once().await.unwrap();
    assert!(world.transport.sent().is_empty());
    world.post(&format!("/webhooks/{id}/ping"), "type=endpoint.ping").await.location();
    world.engine.run_once().await.unwrap();
    assert_eq!(world.transport.sent().len(), 1);
}

#[tokio::test]
async fn only_this_webhook_s_test_event_is_shown_as_its_result() {
    let world = World::new();
    let (crm, _) = world.webhook("crm").await;
    let (other, _) = world.webhook("other").await;
    let (foreign, _) = world.webhook_of("foreign", &tenant("blue")).await;
    let of = async |id: &str, query: &str| {
        let result = world.post(&format!("/webhooks/{id}/ping{query}"), "type=invoice.paid").await.location();
        result.split(['=', '&']).nth(1).unwrap().to_owned()
    };
    let (own, others, foreign) = (of(&crm, "").await, of(&other, "").await, of(&foreign, "?tenant=blue").await);
    world.get(&format!("/webhooks/{crm}?ping={own}")).await.expect(200).shows("data-live=\"ping\"");
    let missing = "dlv_00000000000000000000000000000000";
    for ping in [others.as_str(), &foreign, missing, "", "nonsense", "%3Cscript%3E"] {
        world.get(&format!("/webhooks/{crm}?ping={ping}")).await.expect(200).hides("data-live=\"ping\"");
    }
}

#[tokio::test]
async fn the_history_tells_what_the_record_holds_in_its_order() {
    let world = World::new();
    let (id, first) = world.webhook("crm").await;
    let (other, _) = world.webhook("other").await;
    let (path, owner) = (format!("/webhooks/{id}/history"), tenant("default"));
    let page = world.get(&path).await.expect(200);
    page.shows("It was not changed since it was created.");
    page.hides("planned");

    let id = id.parse().unwrap();
    let hour = Duration::from_secs(3_600);
    world.clock.advance(hour);
    let second = world.engine.endpoints().rotate_secret(&owner, &id, hour * 24).await.unwrap();
    world.clock.advance(hour);
    let third = world.engine.endpoints().stage_secret(&owner, &id).await.unwrap();
    world.clock.advance(hour);
    world.engine.endpoints().disable(&owner, &id, "Oda <ops>").await.unwrap();

    let page = world.get(&path).await.expect(200);
    let mark = |secret: &notify_core::Secret| secret.fingerprint();
    let told = [
        "Created".to_owned(),
        format!("The secret was made that is the current one now ({})", mark(&second)),
        format!("A secret was staged ({})", mark(&third)),
        "Disabled by Oda &#60;ops&#62;, by hand".into(),
        format!("The previous secret retires ({})", mark(&first)),
    ];
    let places: Vec<usize> = told.iter().map(|text| page.text.find(text.as_str()).expect(text)).collect();
    assert!(places.is_sorted(), "{places:?}");
    for at in ["00:00:00", "01:00:00", "02:00:00", "03:00:00"] {
        page.shows(&format!("1 Jan 2026 {at}</time>"));
    }
    page.shows("2 Jan 2026 01:00:00</time>");
    assert_eq!(page.text.matches("<em>planned</em>").count(), 1);
    page.shows("It was changed 3 times since it was created.");
    page.hides("Last changed");

    let quiet = world.get(&format!("/webhooks/{other}/history")).await.expect(200);
    quiet.hides("Oda");
    quiet.hides("secret was");
    world.call("GET", &path, &[("x-tenant", "blue")], "").await.expect(404);
}

#[tokio::test]
async fn a_change_of_settings_and_a_failing_receiver_are_in_the_history_too() {
    let world = World::new();
    let (id, _) = world.webhook("crm").await;
    world.clock.advance(Duration::from_secs(60));
    world.post(&format!("/webhooks/{id}"), "name=crm&url=https%3A%2F%2Fcrm.example.com%2Fhook&success=2xx").await;
    world.clock.advance(Duration::from_secs(60));
    world.transport.respond(URL, [Reply::Status(500)]);
    world.publish("{}", &tenant("default")).await;
    let page = world.get(&format!("/webhooks/{id}/history")).await.expect(200);
    page.shows("00:01:00</time><span><bdi>Last changed");
    page.shows("00:02:00</time><span><bdi>Fails since then");
    page.shows("It was changed once since it was created.");
}
