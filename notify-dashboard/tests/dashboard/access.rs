//! Roles, and forged ids and cursors.

use crate::fixture::{World, forms, tenant};

#[tokio::test]
async fn nobody_gets_in_whom_the_host_does_not_let_in() {
    let world = World::new();
    for path in ["/", "/webhooks", "/logs", "/about", "/nothing"] {
        world.call("GET", path, &[("x-role", "nobody")], "").await.expect(403).shows("Access denied");
        let sent_away = world.call("GET", path, &[("x-role", "stranger")], "").await;
        assert_eq!((sent_away.status.as_u16(), sent_away.header("location")), (303, "/login"));
    }
}

#[tokio::test]
async fn each_form_needs_its_capability_and_says_which() {
    let world = World::new();
    let (id, _) = world.webhook("crm").await;
    let event = world.publish("{}", &tenant("default")).await;
    let delivery = world.delivery_of(&event, &tenant("default")).await;
    let before = world.engine.endpoints().get(&tenant("default"), &id.parse().unwrap()).await.unwrap();
    for (path, capability, operator) in [
        ("/webhooks".to_owned(), "Manage", 403),
        (format!("/webhooks/{id}"), "Manage", 403),
        (format!("/webhooks/{id}/disable"), "Manage", 403),
        (format!("/webhooks/{id}/enable"), "Manage", 403),
        (format!("/webhooks/{id}/ping"), "Manage", 403),
        (format!("/webhooks/{id}/delete"), "Manage", 403),
        (format!("/webhooks/{id}/secret/reveal"), "RevealSecret", 403),
        (format!("/webhooks/{id}/secret/rotate"), "RotateSecret", 403),
        (format!("/webhooks/{id}/secret/stage"), "RotateSecret", 403),
        (format!("/webhooks/{id}/secret/switch"), "RotateSecret", 403),
        (format!("/webhooks/{id}/secret/retire"), "RotateSecret", 403),
        (format!("/logs/events/{event}/resend"), "Resend", 303),
        (format!("/logs/deliveries/{delivery}/resend"), "Resend", 303),
        (format!("/logs/deliveries/{delivery}/cancel"), "Resend", 303),
        ("/logs/deliveries/many".into(), "Resend", 400),
        ("/logs/deliveries/matching?by=delivery".into(), "Resend", 400),
        (format!("/webhooks/{id}/recover"), "Resend", 400),
        (format!("/webhooks/{id}/missing"), "Resend", 400),
    ] {
        let refused = world.call("POST", &path, &[("x-role", "viewer")], "name=x").await.expect(403);
        refused.shows(&format!("capability {capability}"));
        world.call("POST", &path, &[("x-role", "operator")], "name=x").await.expect(operator);
    }
    let after = world.engine.endpoints().get(&tenant("default"), &id.parse().unwrap()).await.unwrap();
    assert_eq!(before, after);
    let viewer = [("x-role", "viewer")];
    let page = world.call("GET", &format!("/logs/events/{event}"), &viewer, "").await.expect(200);
    page.shows("You may not see payloads");
    page.hides("event_id&#34;");
    world.call("GET", &format!("/logs/events/{event}/body"), &viewer, "").await.expect(403);
    for path in ["/webhooks/new".to_owned(), format!("/webhooks/{id}/edit")] {
        world.call("GET", &path, &viewer, "").await.expect(403);
    }
}

#[tokio::test]
async fn another_tenant_s_ids_and_forged_ones_look_missing_in_every_place() {
    let world = World::new();
    let blue = tenant("blue");
    let (id, _) = world.webhook_of("blue one", &blue).await;
    let event = world.publish("{}", &blue).await;
    let delivery = world.delivery_of(&event, &blue).await;
    let red = [("x-tenant", "red"), ("sec-fetch-site", "same-origin")];
    let mut answers = Vec::new();
    for (webhook, event, delivery) in [
        (id.as_str(), event.as_str(), delivery.as_str()),
        ("ep_unknown", "evt_unknown", "dlv_00000000000000000000000000000000"),
        ("..%2f..", "%00", "'"),
    ] {
        for path in [
            format!("/webhooks/{webhook}"),
            format!("/webhooks/{webhook}/health"),
            format!("/webhooks/{webhook}/history"),
            format!("/webhooks/{webhook}/recover"),
            format!("/webhooks/{webhook}/missing"),
            format!("/webhooks/{webhook}/edit"),
            format!("/webhooks/{webhook}/delete"),
            format!("/webhooks/{webhook}/secret"),
            format!("/logs/events/{event}"),
            format!("/logs/events/{event}/body"),
            format!("/logs/deliveries/{delivery}"),
        ] {
            answers.push((path.clone(), world.call("GET", &path, &red, "").await));
        }
        for path in forms(webhook, event, delivery) {
            let form = "name=blue+one&url=https%3A%2F%2Fx.example.com&backlog=cancel&since=0";
            answers.push((path.clone(), world.call("POST", &path, &red, form).await));
        }
    }
    for (path, page) in answers {
        assert_eq!(page.status.as_u16(), 404, "{path}: {}", page.text);
        page.shows("Not found");
        page.hides("blue");
    }
    assert!(world.engine.endpoints().get(&blue, &id.parse().unwrap()).await.unwrap().is_enabled());

    world.call("GET", "/logs?tenant=blue", &[("x-tenant", "red")], "").await.expect(404);
    for cursor in 0..40_u64 {
        let page =
            world.call("GET", &format!("/logs?range=all&cursor=c{cursor:016x}"), &red[..1], "").await.expect(200);
        page.hides(event.as_str());
    }
    let mut seed = 1_u64;
    for _ in 0..200 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        for path in
            [format!("/logs?range=all&by=delivery&cursor=c{seed:016x}"), format!("/webhooks?cursor=c{seed:016x}")]
        {
            let page = world.call("GET", &path, &red[..1], "").await;
            assert!(!page.text.contains(&id) && !page.text.contains(&delivery), "{path}");
        }
    }
}

#[tokio::test]
async fn what_the_host_hides_of_a_payload_is_in_no_page_and_no_file() {
    let world = World::with(|dashboard| dashboard.format_payload(|_, _| Some("{\"email\":\"hidden\"}".into())));
    let event = world.publish(r#"{"email":"canary@example.com"}"#, &tenant("default")).await;
    let page = world.get(&format!("/logs/events/{event}")).await.expect(200);
    page.shows("hidden");
    page.hides("canary");
    world.get(&format!("/logs/events/{event}/body")).await.expect(404).hides("canary");
}
