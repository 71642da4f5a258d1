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

/// What the field for the data has, as a browser reads it.
fn data_of(page: &crate::fixture::Page) -> String {
    let (_, rest) = page.text.split_once("name=\"data\"").expect("the page has the field");
    let (_, rest) = rest.split_once(">\n").unwrap();
    let (text, _) = rest.split_once("</textarea>").unwrap();
    text.replace("&#34;", "\"").replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&")
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn a_test_event_s_data_is_filled_in_may_be_changed_and_is_sent_as_it_was_typed() {
    let world = World::new();
    let (id, _) = world.webhook("crm").await;
    let path = format!("/webhooks/{id}");
    let sent = async |form: &str| {
        world.post(&format!("{path}/ping"), form).await.location();
        world.engine.run_once().await.unwrap();
        String::from_utf8(world.transport.sent().pop().unwrap().body.to_vec()).unwrap()
    };
    let ping = data_of(&world.get(&path).await.expect(200));
    assert_eq!(ping, format!("{{\n  \"endpoint_id\": \"{id}\"\n}}"));
    let page = world.get(&format!("{path}?type=connection.created")).await.expect(200);
    assert_eq!((page.after("id=\"type\"", "value"), page.after("name=\"filled\"", "value")), {
        ("connection.created".to_owned(), "connection.created".to_owned())
    });
    let example = data_of(&page);
    assert!(example.contains("\"connection_id\""), "{example}");
    world.get(&format!("{path}?type=no.such")).await.expect(200).shows("value=\"endpoint.ping\" list");

    // As it was filled in: the example of the type that is typed, also of another.
    let unchanged = encoded(&ping.replace('\n', "\r\n"));
    let body = sent(&format!("type=connection.created&filled=endpoint.ping&data={unchanged}")).await;
    assert!(body.contains("connection_id") && !body.contains("endpoint_id"), "{body}");
    let body = sent("type=connection.updated&filled=endpoint.ping&data=").await;
    assert!(body.contains("connection_id"), "{body}");

    let changed = "{\"connection_id\" : \"<b>é\",\r\n\"exact\":1.0,\"big\":9007199254740993}";
    let body = sent(&format!("type=connection.created&filled=endpoint.ping&data={}", encoded(changed))).await;
    assert!(body.contains(&changed.replace("\r\n", "\n")), "{body}");
    let body = sent(&format!("type=&data={}", encoded("[1]"))).await;
    assert!(body.contains("\"event\":\"endpoint.ping\"") && body.contains("[1]"), "{body}");
    world.get("/logs?purpose=test").await.expect(200).shows("connection.created");
    world.get("/logs?purpose=live").await.expect(200).hides("/logs/events/");
}

#[tokio::test]
async fn data_that_is_no_json_or_too_large_is_told_beside_its_field_and_stays_there() {
    let world = World::of(Engine::builder(MemoryStore::new()).max_payload(300), |dashboard| dashboard);
    let (id, _) = world.webhook("crm").await;
    for (typed, words) in [
        ("{\"a\":</textarea>}", "Data is not one JSON value (line 1, column 6)"),
        ("{} {}", "Data is not one JSON value"),
        (&format!("\"{}\"", "x".repeat(400)), "Payload is 402 bytes, the limit is 300"),
        (&format!("\"{}\"", "x".repeat(280)), "the limit is 300"),
    ] {
        let form = format!("type=connection.created&filled=endpoint.ping&data={}", encoded(typed));
        let page = world.post(&format!("/webhooks/{id}/ping"), &form).await.expect(422);
        page.shows("id=\"data-error\"");
        page.shows(words);
        page.hides("id=\"type-error\"");
        page.shows("<details open>");
        page.shows("<title>Error: crm");
        assert_eq!(data_of(&page), typed);
        assert_eq!(page.after("id=\"type\"", "value"), "connection.created");
    }
    // What was typed stays where the type is refused, too.
    let form = format!("type=Bad&filled=endpoint.ping&data={}", encoded("{\"mine\":1}"));
    let page = world.post(&format!("/webhooks/{id}/ping"), &form).await.expect(422);
    page.shows("id=\"type-error\"");
    assert_eq!(data_of(&page), "{\"mine\":1}");
    world.engine.run_once().await.unwrap();
    assert!(world.transport.sent().is_empty());
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
