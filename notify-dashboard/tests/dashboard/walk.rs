//! The whole walk, with forms and links alone.

use notify_core::testing::Reply;
use notify_dashboard::{ActionOutcome, Verb};

use crate::fixture::{URL, World};

#[tokio::test]
async fn a_webhook_s_whole_life_needs_no_script() {
    let world = World::new();
    world.get("/webhooks").await.expect(200).shows("No webhooks yet");

    let form = "name=crm&url=https%3A%2F%2Fcrm.example.com%2Fhook&events=connection.created";
    let created = world.post("/webhooks", form).await.expect(201);
    assert_eq!(created.header("cache-control"), "no-store");
    created.shows("whsec_");
    let ping = created.after("class=\"actions\"", "action");
    let webhook = ping.strip_prefix("/notify").unwrap().strip_suffix("/ping").unwrap().to_owned();
    world.get("/webhooks").await.expect(200).shows("crm");
    world.get(&webhook).await.expect(200).shows(URL);

    world.transport.respond(URL, [Reply::Status(202)]);
    let pinged = world.post(&format!("{webhook}/ping"), "").await.location();
    world.get(&pinged).await.expect(200).shows("See the result");
    world.engine.run_once().await.unwrap();
    let result = world.get(&pinged).await.expect(200);
    result.shows("endpoint.ping");
    result.shows("202");
    let delivery_path = result.after("data-live=\"ping\"", " href").strip_prefix("/notify").unwrap().to_owned();
    let delivery = world.get(&delivery_path).await.expect(200);
    delivery.shows("endpoint.ping");
    delivery.shows("answered 202");
    delivery.shows("Let the receiver answer 200");
    world.get("/logs").await.expect(200).shows("endpoint.ping");
    world.get("/logs?by=delivery").await.expect(200).shows(&delivery_path);

    let again = world.post(&format!("{delivery_path}/resend"), "").await.location();
    world.engine.run_once().await.unwrap();
    let page = world.get(&again).await.expect(200);
    page.shows("crm: delivered. It took 2 attempts.");
    page.shows("Sent again by hand: round 2");

    let rotated = world.post(&format!("{webhook}/secret/rotate"), "overlap=24").await.expect(200);
    rotated.shows("Secret rotated");
    let secret = world.get(&format!("{webhook}/secret")).await.expect(200);
    secret.shows("x-notify-signature-previous");
    secret.hides("whsec_A");
    world.post(&format!("{webhook}/secret/stage"), "").await.expect(200).shows("Secret staged");
    assert_eq!(
        world.post(&format!("{webhook}/secret/switch"), "overlap=0").await.location(),
        format!("{webhook}/secret?done=switched")
    );
    world.post(&format!("{webhook}/secret/retire"), "").await.location();
    world.post(&format!("{webhook}/secret/reveal"), "").await.expect(200).shows("Current secret");

    world.post(&format!("{webhook}/disable"), "").await.location();
    let disabled = world.get(&webhook).await.expect(200);
    disabled.shows("Disabled</strong> since");
    disabled.shows("by <bdi>Ana</bdi>");
    world.publish("{}", &Default::default()).await;
    world.get(&webhook).await.expect(200).shows("1 delivery held");
    world.post(&format!("{webhook}/enable"), "backlog=resume").await.location();
    assert_eq!(world.engine.run_once().await.unwrap().delivered, 1);

    world.post(&webhook, "name=crm+two&url=https%3A%2F%2Fcrm.example.com%2Fhook&success=2xx").await.location();
    let changed = world.get(&webhook).await.expect(200);
    changed.shows("crm two");
    changed.shows("any 2xx");
    changed.shows("All events");

    world.post(&format!("{webhook}/delete"), "name=wrong").await.expect(200).shows("Nothing was deleted");
    assert_eq!(world.post(&format!("{webhook}/delete"), "name=crm+two").await.location(), "/webhooks?done=deleted");
    world.get(&webhook).await.expect(404);
    world.get(&delivery_path).await.expect(200).shows("(deleted)");

    let actions = world.actions.lock().unwrap();
    let verbs: Vec<Verb> = actions.iter().map(|action| action.verb).collect();
    use Verb::*;
    assert_eq!(
        verbs,
        [
            CreateWebhook,
            PingWebhook,
            ResendDelivery,
            RotateSecret,
            StageSecret,
            SwitchSecret,
            RetireSecret,
            RevealSecret,
            DisableWebhook,
            EnableWebhook,
            ChangeWebhook,
            DeleteWebhook
        ]
    );
    assert!(actions.iter().all(|action| action.by == "Ana" && action.outcome == ActionOutcome::Done));
}

#[tokio::test]
async fn a_refused_field_is_named_beside_it_and_what_was_typed_stays() {
    let world = World::new();
    for (form, field, kept) in [
        ("name=&url=https%3A%2F%2Fa.example.com", "name", "https://a.example.com"),
        ("name=crm&url=refused%3Ax", "url", "value=\"crm\""),
        ("name=crm&url=https%3A%2F%2Fa.example.com&patterns=Bad", "events", "value=\"Bad\""),
        ("name=crm&url=https%3A%2F%2Fa.example.com&headers=webhook-id%3A+x", "headers", "webhook-id: x"),
        ("name=crm&url=https%3A%2F%2Fa.example.com&headers=nonsense", "headers", "nonsense"),
    ] {
        let page = world.post("/webhooks", form).await.expect(422);
        page.shows(&format!("id=\"{field}-error\""));
        page.shows(&format!(
            "aria-describedby=\"{}",
            if field == "headers" { "headers-hint headers-error" } else { "" }
        ));
        page.shows(kept);
    }
    assert!(world.actions.lock().unwrap().iter().all(|action| action.outcome == ActionOutcome::Refused));
    world.get("/webhooks").await.expect(200).shows("No webhooks yet");
}

#[tokio::test]
async fn a_cancelled_delivery_is_not_sent_and_an_event_can_be_sent_again_to_all() {
    let world = World::new();
    world.webhook("crm").await;
    world.transport.respond(URL, [Reply::Status(500)]);
    let event = world.publish("{}", &Default::default()).await;
    let delivery = world.delivery_of(&event, &Default::default()).await;
    let path = format!("/logs/deliveries/{delivery}");
    world.post(&format!("{path}/cancel"), "").await.location();
    world.get(&path).await.expect(200).shows("crm: cancelled.");
    world.clock.advance(std::time::Duration::from_secs(86_400));
    assert_eq!(world.engine.run_once().await.unwrap(), Default::default());
    world.post(&format!("/logs/events/{event}/resend"), "").await.location();
    assert_eq!(world.engine.run_once().await.unwrap().delivered, 1);
}
