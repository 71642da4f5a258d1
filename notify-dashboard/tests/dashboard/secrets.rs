//! A secret is on the pages that make or reveal it, and on no other.

use crate::fixture::{World, tenant};

#[tokio::test]
async fn a_secret_is_on_no_page_but_the_one_that_reveals_it() {
    let world = World::new();
    let (id, secret) = world.webhook("crm").await;
    let event = world.publish("{}", &tenant("default")).await;
    let delivery = world.delivery_of(&event, &tenant("default")).await;
    let secret = secret.expose();
    let body = secret.trim_start_matches("whsec_");
    for path in [
        "/".to_owned(),
        "/webhooks".into(),
        format!("/webhooks/{id}"),
        format!("/webhooks/{id}/history"),
        format!("/webhooks/{id}/edit"),
        format!("/webhooks/{id}/delete"),
        format!("/webhooks/{id}/secret"),
        "/logs".into(),
        "/logs?by=delivery".into(),
        format!("/logs/events/{event}"),
        format!("/logs/deliveries/{delivery}"),
        "/event-types".into(),
        "/about".into(),
    ] {
        let page = world.get(&path).await.expect(200);
        assert!(!page.text.contains(&body[..20]), "{path} shows the secret");
    }
    assert_eq!(world.get(&format!("/webhooks/{id}/secret")).await.header("cache-control"), "no-store");
    world.get(&format!("/webhooks/{id}/secret/reveal")).await.expect(405);
    let revealed = world.post(&format!("/webhooks/{id}/secret/reveal"), "").await.expect(200);
    revealed.shows(&body[..20]);
    assert_eq!(revealed.header("cache-control"), "no-store");
    assert!(!format!("{:?}", world.actions.lock().unwrap()).contains(&body[..20]));
}

#[tokio::test]
async fn a_header_s_value_is_never_shown_and_stays_when_the_form_is_saved() {
    let world = World::new();
    let form = "name=crm&url=https%3A%2F%2Fa.example.com%2Fx&headers=x-api-key%3A+canary-value";
    world.post("/webhooks", form).await.expect(201).hides("canary-value");
    let list = world.get("/webhooks").await.expect(200);
    let webhook = list.after("class=\"row\"", "href").strip_prefix("/notify").unwrap().to_owned();
    for path in [webhook.clone(), format!("{webhook}/edit")] {
        let page = world.get(&path).await.expect(200);
        page.shows("x-api-key");
        page.hides("canary-value");
    }
    world.post(&webhook, "name=crm&url=https%3A%2F%2Fa.example.com%2Fx").await.location();
    world.publish("{}", &tenant("default")).await;
    assert_eq!(world.transport.sent()[0].header("x-api-key"), Some("canary-value"));
    world.post(&webhook, "name=crm&url=https%3A%2F%2Fa.example.com%2Fx&headers=-").await.location();
    world.publish("{}", &tenant("default")).await;
    assert_eq!(world.transport.sent()[1].header("x-api-key"), None);
}
