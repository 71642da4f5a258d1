//! Each page shows what was put in through the API, and nothing of another tenant.

use notify_core::NewEvent;
use notify_core::delivery::Response;
use notify_core::testing::Reply;

use crate::fixture::{URL, World, tenant};

#[tokio::test]
async fn each_page_shows_its_tenant_s_values_and_no_other_s() {
    let world = World::new();
    let mut own = Vec::new();
    for name in ["red", "blue"] {
        let owner = tenant(name);
        let (webhook, _) = world.webhook_of(&format!("webhook-{name}"), &owner).await;
        let event = world.publish(&format!(r#"{{"canary":"data-{name}"}}"#), &owner).await;
        let delivery = world.delivery_of(&event, &owner).await;
        own.push((webhook, event.to_string(), delivery));
    }
    for (index, name, other) in [(0, "red", "blue"), (1, "blue", "red")] {
        let (webhook, event, delivery) = &own[index];
        for (path, shown) in [
            ("/".to_owned(), format!("webhook-{name}")),
            ("/webhooks".into(), format!("webhook-{name}")),
            (format!("/webhooks/{webhook}"), format!("webhook-{name}")),
            (format!("/webhooks/{webhook}?ping={delivery}"), "data-live=\"ping\"".into()),
            (format!("/webhooks/{webhook}/health"), format!("webhook-{name}")),
            (format!("/webhooks/{webhook}/history"), format!("webhook-{name}")),
            (format!("/webhooks/{webhook}/edit"), format!("webhook-{name}")),
            (format!("/webhooks/{webhook}/secret"), format!("webhook-{name}")),
            (format!("/webhooks/{webhook}/delete"), format!("webhook-{name}")),
            ("/logs".into(), event.clone()),
            ("/logs?by=delivery".into(), delivery.clone()),
            (format!("/logs/events/{event}"), format!("data-{name}")),
            (format!("/logs/events/{event}/body"), format!("data-{name}")),
            (format!("/logs/deliveries/{delivery}"), event.clone()),
            ("/event-types".into(), format!("webhook-{name}")),
            ("/about".into(), "memory, schema".into()),
        ] {
            for headers in [vec![("x-tenant", name)], vec![]] {
                let path = if headers.is_empty() {
                    format!("{path}{}tenant={name}", if path.contains('?') { "&" } else { "?" })
                } else {
                    path.clone()
                };
                let page = world.call("GET", &path, &headers, "").await.expect(200);
                assert!(page.text.contains(&shown), "{path} lacks {shown}: {}", page.text);
                let (webhook, event, delivery) = &own[1 - index];
                for foreign in [&format!("webhook-{other}"), &format!("data-{other}"), webhook, event, delivery] {
                    assert!(!page.text.contains(foreign.as_str()), "{path} has {foreign}");
                }
            }
        }
    }
}

/// UX check 9: 2^53 + 1 lost its last digit elsewhere.
#[tokio::test]
async fn a_body_is_shown_as_the_bytes_it_is() {
    let world = World::new();
    let data = r#"{"n":9007199254740993,"x":1.0,"y":-0.0,"t":"café 日本 \u0041"}"#;
    let id = world.publish(data, &tenant("default")).await;
    let page = world.get(&format!("/logs/events/{id}")).await.expect(200);
    page.shows(&data.replace('"', "&#34;"));
    let pretty = world.get(&format!("/logs/events/{id}?view=pretty")).await.expect(200);
    for token in ["9007199254740993", ": 1.0", ": -0.0", "café 日本 \\u0041"] {
        pretty.shows(token);
    }
    let file = world.get(&format!("/logs/events/{id}/body")).await.expect(200);
    assert!(file.text.ends_with(&format!(",\"data\":{data}}}")));
    assert_eq!(file.header("content-type"), "application/octet-stream");
    assert!(file.header("content-disposition").starts_with("attachment"));
}

/// C77: answers that are no UTF-8 broke whole listings elsewhere.
#[tokio::test]
async fn an_answer_that_is_no_text_is_shown_as_far_as_it_is() {
    let world = World::new();
    world.webhook("crm").await;
    let mut answer = Response::new(500);
    answer.body = vec![0xff, 0xfe, 0, 0xc3, 0x28, 0x41].into();
    world.transport.respond(URL, [Reply::Response(answer)]);
    let event = world.publish("{}", &tenant("default")).await;
    let delivery = world.delivery_of(&event, &tenant("default")).await;
    let page = world.get(&format!("/logs/deliveries/{delivery}")).await.expect(200);
    page.shows("\u{fffd}\u{fffd}\\u0000\u{fffd}(A");
}

/// C75: attempts had the same number, or a resend began again at 0.
#[tokio::test]
async fn attempts_are_numbered_on_through_a_resend() {
    let world = World::new();
    world.webhook("crm").await;
    world.transport.respond(URL, [Reply::Status(500), Reply::Failure(notify_core::delivery::Reason::ResponseTimeout)]);
    let event = world.publish("{}", &tenant("default")).await;
    let delivery = world.delivery_of(&event, &tenant("default")).await;
    for minutes in [5, 30] {
        world.clock.advance(std::time::Duration::from_secs(60 * minutes));
        world.engine.run_once().await.unwrap();
    }
    let path = format!("/logs/deliveries/{delivery}");
    world.post(&format!("{path}/resend"), "").await.location();
    world.engine.run_once().await.unwrap();
    let page = world.get(&path).await.expect(200);
    let places: Vec<usize> = (1..=4).map(|n| page.text.find(&format!("Attempt {n}: ")).expect("it is there")).collect();
    assert!(places.is_sorted(), "{places:?}");
    page.hides("Attempt 5");
    page.shows("It took 4 attempts");
}

/// C80: "failed" was shown while a retry was planned.
#[tokio::test]
async fn a_planned_retry_is_neither_failed_nor_delivered_and_totals_add_up() {
    let world = World::new();
    world.webhook("crm").await;
    world.transport.respond(URL, [Reply::Status(404)]);
    world.publish("{}", &tenant("default")).await;
    let logs = world.get("/logs").await.expect(200);
    logs.shows("Retrying");
    logs.shows("datetime=\"2026-01-01T00:05:00.000Z\"");
    world.get("/logs?status=failed").await.expect(200).shows("Nothing here");
    world.get("/").await.expect(200).shows("0 delivered and 0 given up in 24 h; 1 waiting");
    world.clock.advance(std::time::Duration::from_secs(300));
    world.engine.run_once().await.unwrap();
    world.get("/").await.expect(200).shows("1 delivered and 0 given up in 24 h; 0 waiting");
}

#[tokio::test]
async fn pages_of_the_log_go_on_where_the_last_one_ended() {
    let world = World::new();
    let mut ids = Vec::new();
    for number in 0..120 {
        let event = NewEvent::new("connection.created", "{}").unwrap().with_id(&format!("event-{number:03}")).unwrap();
        ids.push(world.engine.publish_event(event).await.unwrap().event_id.to_string());
    }
    let mut seen = Vec::new();
    let mut path = "/logs".to_owned();
    loop {
        let page = world.get(&path).await.expect(200);
        seen.extend(
            ids.iter().filter(|id| page.text.contains(&format!("/logs/events/{id}\""))).cloned().collect::<Vec<_>>(),
        );
        if !page.text.contains("rel=\"next\"") {
            break;
        }
        path = page
            .after(
                "class=\"pages\"",
                if page.text.contains(">Newest<") {
                    "href=\"/notify/logs\">Newest</a>\n  <a class=\"button\" href"
                } else {
                    "href"
                },
            )
            .strip_prefix("/notify")
            .unwrap()
            .to_owned();
    }
    seen.sort();
    assert_eq!(seen, ids);
}

#[tokio::test]
async fn an_id_is_found_and_an_unknown_one_is_told_so() {
    let world = World::new();
    world.webhook("crm").await;
    let event = world.publish("{}", &tenant("default")).await;
    let delivery = world.delivery_of(&event, &tenant("default")).await;
    assert_eq!(world.get(&format!("/logs?q={event}")).await.location(), format!("/logs/events/{event}"));
    assert_eq!(world.get(&format!("/logs?q={delivery}")).await.location(), format!("/logs/deliveries/{delivery}"));
    world.get("/logs?q=evt_unknown").await.expect(200).shows("No event or delivery has the id or key");
    let foreign = world.call("GET", &format!("/logs?q={event}"), &[("x-tenant", "red")], "").await.expect(200);
    foreign.shows("No event or delivery has the id or key");
}

#[tokio::test]
async fn webhooks_are_found_by_name_url_and_status() {
    let world = World::new();
    let (crm, _) = world.webhook("CRM of Ana").await;
    for number in 0..30 {
        world.webhook(&format!("other {number}")).await;
    }
    world.engine.endpoints().disable(&tenant("default"), &crm.parse().unwrap(), "").await.unwrap();
    for query in ["q=crm+of", "status=disabled", "q=crm+of&status=disabled&tenant=default"] {
        let page = world.get(&format!("/webhooks?{query}")).await.expect(200);
        page.shows("CRM of Ana");
        page.hides("other 1");
    }
    world.get("/webhooks?q=crm+of&status=enabled").await.expect(200).shows("No webhook matches this filter");
    world.get("/webhooks?q=crm.example.com").await.expect(200).shows("other 29");
    world.get("/webhooks?status=odd").await.expect(400).shows("does not exist");
}

#[tokio::test]
async fn a_page_that_did_not_change_costs_no_body() {
    let world = World::new();
    world.webhook("crm").await;
    let page = world.get("/logs").await.expect(200);
    let tag = page.header("etag").to_owned();
    let same = world.call("GET", "/logs", &[("if-none-match", &tag)], "").await.expect(304);
    assert!(same.text.is_empty());
    world.publish("{}", &tenant("default")).await;
    world.call("GET", "/logs", &[("if-none-match", &tag)], "").await.expect(200);
}
