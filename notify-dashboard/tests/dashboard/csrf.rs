//! Forms from elsewhere.

use crate::fixture::{World, tenant};

const OWN: &str = "https://app.example.com";

#[tokio::test]
async fn thirty_ways_to_send_a_form_are_judged_by_where_they_come_from() {
    let world = World::with(|dashboard| dashboard.trusted_origin("https://front.example.com"));
    let site = |value| vec![("sec-fetch-site", value)];
    let origin = |value| vec![("origin", value)];
    let both = |site, origin| vec![("sec-fetch-site", site), ("origin", origin)];
    let hosted = |host, origin| vec![("host", host), ("origin", origin)];
    let cases = [
        (site("same-origin"), true),
        (site("none"), true),
        (vec![], true), // no browser sends neither
        (origin(OWN), true),
        (origin("http://app.example.com"), true), // plain http sends no Sec-Fetch-Site
        (both("same-origin", OWN), true),
        (both("cross-site", "https://front.example.com"), true),
        (origin("https://front.example.com"), true),
        (hosted("127.0.0.1:3000", "http://127.0.0.1:3000"), true),
        (hosted("[::1]:3000", "http://[::1]:3000"), true),
        (site("cross-site"), false),
        (site("same-site"), false),
        (site("Same-Origin"), false),
        (site("nonsense"), false),
        (origin("null"), false),
        (both("cross-site", "null"), false),
        (both("cross-site", OWN), false),
        (both("same-site", "https://other.example.com"), false),
        (origin("https://evil.example.net"), false),
        (origin("https://app.example.com.evil.net"), false),
        (origin("https://evil.net/app.example.com"), false),
        (origin("https://app.example.com:8443"), false),
        (origin("https://sub.app.example.com"), false),
        (origin("https://example.com"), false),
        (origin("https://front.example.com.evil.net"), false),
        (origin("https://front.example.com:444"), false),
        (origin("http://front.example.com"), false),
        (origin("file://"), false),
        (hosted("10.0.0.7", OWN), false),
        (hosted("127.0.0.1:3000", "http://127.0.0.1:3001"), false),
    ];
    assert_eq!(cases.len(), 30);
    let (id, _) = world.webhook("crm").await;
    let path = format!("/webhooks/{id}/disable");
    for (headers, allowed) in cases {
        let page = world.call("POST", &path, &headers, "").await;
        assert_eq!(page.status.as_u16(), if allowed { 303 } else { 403 }, "{headers:?}: {}", page.text);
        let endpoints = world.engine.endpoints();
        let id = id.parse().unwrap();
        let after = endpoints.enable(&tenant("default"), &id, notify_core::engine::Backlog::Resume).await.unwrap();
        assert!(after.is_enabled());
        if !allowed {
            page.shows("This form was sent from");
            page.shows("Nothing was changed.");
        }
    }
    let done = world.actions.lock().unwrap().len();
    assert_eq!(done, 10, "what was refused did nothing");
}

#[tokio::test]
async fn a_refusal_names_the_proxy_and_the_way_out() {
    let world = World::new();
    let headers = [("host", "10.0.0.7"), ("origin", OWN)];
    let page = world.call("POST", "/theme", &headers, "theme=dark").await.expect(403);
    page.shows("This form was sent from https://app.example.com but reached us as host 10.0.0.7.");
    page.shows(".trusted_origin(&#34;https://app.example.com&#34;)");
}

#[tokio::test]
async fn get_changes_nothing() {
    let world = World::new();
    let (id, _) = world.webhook("crm").await;
    let event = world.publish("{}", &tenant("default")).await;
    let delivery = world.delivery_of(&event, &tenant("default")).await;
    for path in [
        format!("/webhooks/{id}/disable"),
        format!("/webhooks/{id}/enable"),
        format!("/webhooks/{id}/ping"),
        format!("/webhooks/{id}/secret/rotate"),
        format!("/logs/events/{event}/resend"),
        format!("/logs/deliveries/{delivery}/resend"),
        format!("/logs/deliveries/{delivery}/cancel"),
        format!("/logs/deliveries/many?do=resend&delivery={delivery}"),
        "/theme".into(),
        "/zone".into(),
    ] {
        world.get(&path).await.expect(405);
    }
    assert!(world.actions.lock().unwrap().is_empty());
}
