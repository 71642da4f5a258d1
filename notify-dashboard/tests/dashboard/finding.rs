//! The log's filters, by GET parameters alone.

use std::time::Duration;

use notify_core::delivery::Reason;
use notify_core::testing::Reply;
use notify_core::{NewEvent, TenantId};

use crate::fixture::{Page, URL, World, tenant};

/// Events named for what became of them, oldest first: `fine`, `broken` (a 500 that will be tried again), `dead` (no
/// answer that will be tried again), each ten minutes after the one before, a ping, and another tenant's `theirs`.
async fn world() -> (World, String) {
    let world = World::new();
    let (crm, _) = world.webhook("crm").await;
    world.webhook_of("other", &tenant("red")).await;
    for (id, reply) in
        [("fine", None), ("broken", Some(Reply::Status(500))), ("dead", Some(Reply::Failure(Reason::ConnectRefused)))]
    {
        world.transport.respond(URL, reply);
        publish(&world, id, &tenant("default")).await;
        world.clock.advance(Duration::from_secs(100));
    }
    world.transport.respond(URL, [Reply::Status(500)]);
    publish(&world, "theirs", &tenant("red")).await;
    world.engine.endpoints().ping(&tenant("default"), &crm.parse().unwrap()).await.unwrap();
    world.engine.run_once().await.unwrap();
    (world, crm)
}

async fn publish(world: &World, id: &str, tenant: &TenantId) {
    let event = NewEvent::new("connection.created", "{}").unwrap().for_tenant(tenant.clone());
    let event = event.with_id(id).unwrap().with_idempotency_key(&format!("order of {id}")).unwrap();
    world.engine.publish_event(event).await.unwrap();
    world.engine.run_once().await.unwrap();
}

fn listed(page: &Page) -> Vec<&'static str> {
    let is_listed = |id: &&&str| page.text.contains(&format!("/logs/events/{id}\""));
    ["fine", "broken", "dead", "theirs"].iter().filter(is_listed).copied().collect()
}

#[tokio::test]
async fn each_filter_finds_its_rows_and_no_others_and_never_another_tenant_s() {
    let (world, crm) = world().await;
    for (query, expected) in [
        ("", &["fine", "broken", "dead"][..]),
        ("purpose=live", &["fine", "broken", "dead"]),
        ("purpose=test", &[]),
        ("reason=status_5xx", &["broken"]),
        ("reason=connect_refused", &["dead"]),
        ("reason=dns", &[]),
        ("class=2xx", &["fine"]),
        ("class=5xx", &["broken"]),
        ("class=no_answer", &["dead"]),
        ("class=no_answer&reason=connect_refused&by=delivery&status=scheduled", &["dead"]),
        ("class=5xx&by=delivery&status=failed", &[]),
        (&format!("class=5xx&webhook={crm}"), &["broken"]),
        ("from=2026-01-01+00:01", &["broken", "dead"]),
        ("to=2026-01-01T00:01:00Z", &["fine"]),
        ("from=2026-01-01+00:01&to=2026-01-01+00:02&range=1h", &["broken"]),
        ("from=2026-01-01&to=2026-01-02&by=delivery", &["fine", "broken", "dead"]),
        ("range=between", &["fine", "broken", "dead"]),
    ] {
        let page = world.get(&format!("/logs?{query}")).await.expect(200);
        assert_eq!(listed(&page), expected, "{query}");
    }
    let ping = world.get("/logs?purpose=test").await.expect(200);
    ping.shows("endpoint.ping");
    world.get("/logs?purpose=live").await.expect(200).hides("endpoint.ping");
    for query in ["class=5xx", "reason=status_5xx", "purpose=live"] {
        let page = world.call("GET", &format!("/logs?{query}"), &[("x-tenant", "red")], "").await.expect(200);
        assert_eq!(listed(&page), ["theirs"], "{query}");
    }
}

#[tokio::test]
async fn an_idempotency_key_leads_to_its_event_and_another_tenant_s_to_none() {
    let (world, _) = world().await;
    assert_eq!(world.get("/logs?q=order+of+fine").await.location(), "/logs/events/fine");
    for unknown in ["order+of", "order+of+theirs", "ORDER+of+fine", "%00"] {
        world.get(&format!("/logs?q={unknown}")).await.expect(200).shows("No event or delivery has the id or key");
    }
}

#[tokio::test]
async fn a_filter_that_cannot_be_read_is_told_beside_its_field_and_lists_nothing() {
    let (world, _) = world().await;
    for (query, field, text) in [
        ("status=nonsense", "status", "There is no such choice."),
        ("by=delivery&status=no_endpoint", "status", "There is no such choice."),
        ("type=Bad", "type", "This is no event type."),
        ("webhook=a%20b", "webhook", "There is no such choice."),
        ("purpose=prod", "purpose", "There is no such choice."),
        ("range=2y", "range", "There is no such choice."),
        ("reason=bad", "reason", "There is no such choice."),
        ("class=6xx", "class", "There is no such choice."),
        ("class=5xx&reason=dns", "reason", "No delivery with this status and answer has such a reason."),
        ("by=delivery&class=5xx&status=delivered", "class", "No delivery of this status has such an answer."),
        ("from=yesterday", "from", "This is no time."),
        ("to=2026-13-01", "to", "This is no time."),
        ("from=2026-01-02&to=2026-01-01", "to", "This is not after the beginning."),
    ] {
        let page = world.get(&format!("/logs?{query}")).await.expect(400);
        page.shows("Nothing is listed.");
        page.shows(&format!("id=\"{field}-error\">{text}"));
        page.shows(&format!("name=\"{field}\""));
        page.shows(&format!("aria-describedby=\"{field}-error\""));
        assert_eq!(listed(&page), [""; 0], "{query}");
    }
    world.get("/logs?type=Bad").await.expect(400).shows("value=\"Bad\"");
    world.get("/logs?from=yesterday").await.expect(400).shows("value=\"yesterday\"");
    world.get("/logs?cursor=c1").await.expect(400).shows("does not exist");
}

#[tokio::test]
async fn what_is_chosen_stays_chosen_and_goes_with_the_links() {
    let (world, _) = world().await;
    for n in 0..60 {
        world.transport.respond(URL, [Reply::Status(500)]);
        publish(&world, &format!("more{n}"), &tenant("default")).await;
    }
    let page = world.get("/logs?class=5xx&purpose=live&from=2026-01-01&to=2026-01-02").await.expect(200);
    for chosen in
        ["value=\"5xx\" selected", "value=\"live\" selected", "value=\"between\" selected", "value=\"2026-01-01\""]
    {
        page.shows(chosen);
    }
    let older = page.after("class=\"pages\"", "href");
    for kept in ["by=delivery", "class=5xx", "purpose=live", "from=2026-01-01", "to=2026-01-02", "cursor=c"] {
        assert!(older.contains(kept), "{kept}: {older}");
    }
    let rest = world.get(older.replace("&amp;", "&").strip_prefix("/notify").unwrap()).await.expect(200);
    assert_eq!(listed(&rest), ["broken"]);
}
