//! Many deliveries at once: each judged alone, and told.

use notify_core::delivery::State;
use notify_core::testing::Reply;
use notify_dashboard::{ActionOutcome, Verb};

use crate::fixture::{URL, World, tenant};

/// The deliveries of so many events, published one after the other.
async fn deliveries(world: &World, count: usize) -> Vec<String> {
    let owner = tenant("default");
    let mut ids = Vec::new();
    for _ in 0..count {
        let event = world.publish("{}", &owner).await;
        ids.push(world.delivery_of(&event, &owner).await);
    }
    ids
}

async fn state(world: &World, id: &str) -> (State, u32) {
    let delivery = world.engine.deliveries().get(&tenant("default"), &id.parse().unwrap()).await.unwrap();
    (delivery.state(), delivery.as_stored().round.get())
}

fn form(wish: &str, ids: &[&str]) -> String {
    let ticked: Vec<String> = ids.iter().map(|id| format!("&delivery={id}")).collect();
    format!("do={wish}&here=%2Fwebhooks{}", ticked.concat())
}

#[tokio::test]
async fn each_delivery_that_is_ticked_is_sent_again_or_refused_by_itself() {
    let world = World::new();
    let (crm, _) = world.webhook("crm").await;
    let ids = deliveries(&world, 3).await;
    let (gone, _) = world.webhook("gone").await;
    let event = world.publish("{}", &tenant("default")).await;
    let key = notify_core::event::EventKey { tenant: tenant("default"), id: event };
    let record = world.engine.history().event(&key).await.unwrap().unwrap();
    let of_gone =
        record.deliveries.iter().find(|delivery| delivery.endpoint().as_str() == gone).unwrap().id().to_string();
    world.engine.endpoints().delete(&tenant("default"), &gone.parse().unwrap()).await.unwrap();
    world.webhook_of("blue one", &tenant("blue")).await;
    let foreign = world.publish("{}", &tenant("blue")).await;
    let foreign = world.delivery_of(&foreign, &tenant("blue")).await;
    let sent = world.transport.sent_to(URL).len();

    // One twice: that is one round more, not two.
    let ticked = [ids[0].as_str(), &ids[2], &ids[0], &of_gone, &foreign, "dlv_nonsense"];
    let page = world.post("/logs/deliveries/many", &form("resend", &ticked)).await.expect(200);
    page.shows("<h1>2 sent again, 3 refused</h1>");
    page.shows("The delivery&#39;s endpoint is deleted");
    assert_eq!(page.text.matches("No such delivery").count(), 2, "another tenant's looks missing");
    page.hides("blue one");
    page.shows("<bdi>crm</bdi>");
    page.shows("href=\"/notify/webhooks\">Back to the list");
    assert_eq!(state(&world, &ids[0]).await, (State::Scheduled, 2));
    assert_eq!(state(&world, &ids[1]).await, (State::Delivered, 1));
    assert_eq!(state(&world, &ids[2]).await, (State::Scheduled, 2));
    world.engine.run_once().await.unwrap();
    assert_eq!(world.transport.sent_to(URL).len(), sent + 2);

    let told: Vec<_> =
        world.actions.lock().unwrap().iter().map(|done| (done.verb, done.target.clone(), done.outcome)).collect();
    let done = |id: &str, outcome| (Verb::ResendDelivery, id.to_owned(), outcome);
    assert_eq!(
        told,
        [
            done(&ids[0], ActionOutcome::Done),
            done(&ids[2], ActionOutcome::Done),
            done(&of_gone, ActionOutcome::Refused)
        ]
    );
    world.get(&format!("/webhooks/{crm}")).await.expect(200).shows("Send ticked again");
}

#[tokio::test]
async fn of_those_that_are_to_be_cancelled_the_ones_that_have_ended_are_refused() {
    let world = World::new();
    world.webhook("crm").await;
    world.transport.respond(URL, vec![Reply::Status(500); 2]);
    let ids = deliveries(&world, 3).await;
    let ticked: Vec<&str> = ids.iter().map(String::as_str).collect();
    let page = world.post("/logs/deliveries/many", &form("cancel", &ticked)).await.expect(200);
    page.shows("<h1>2 cancelled, 1 refused</h1>");
    page.shows("The delivery has ended: it is delivered");
    assert_eq!(state(&world, &ids[0]).await.0, State::Cancelled);
    assert_eq!(state(&world, &ids[2]).await.0, State::Delivered);
}

#[tokio::test]
async fn nothing_is_done_where_nothing_is_ticked_or_too_much_or_the_form_is_no_form() {
    let world = World::new();
    world.webhook("crm").await;
    let ids = deliveries(&world, 1).await;
    world.post("/logs/deliveries/many", &form("resend", &[])).await.expect(422).shows("No delivery was ticked");
    let many: Vec<String> = (0..101).map(|number| format!("dlv_{number:032}")).collect();
    let mut many: Vec<&str> = many.iter().map(String::as_str).collect();
    many.insert(0, &ids[0]);
    world.post("/logs/deliveries/many", &form("resend", &many)).await.expect(422).shows("At most 100");
    for wish in ["", "delete", "RESEND"] {
        world.post("/logs/deliveries/many", &form(wish, &[&ids[0]])).await.expect(400);
    }
    assert_eq!(state(&world, &ids[0]).await, (State::Delivered, 1));
    assert!(world.actions.lock().unwrap().is_empty());
    // The way back leads nowhere else.
    let form = format!("do=resend&delivery={}&here=%2F%2Fevil.example", ids[0]);
    world.post("/logs/deliveries/many", &form).await.expect(200).hides("evil");
}

#[tokio::test]
async fn rows_are_tickable_for_who_may_resend_and_for_nobody_else() {
    let world = World::new();
    let (crm, _) = world.webhook("crm").await;
    let event = world.publish("{}", &tenant("default")).await;
    let delivery = world.delivery_of(&event, &tenant("default")).await;
    let log = "/logs?by=delivery&status=delivered&range=all";
    for path in [format!("/webhooks/{crm}"), format!("/logs/events/{event}"), log.to_owned()] {
        for (role, tickable) in [("viewer", false), ("operator", true), ("admin", true)] {
            let page = world.call("GET", &path, &[("x-role", role)], "").await.expect(200);
            assert_eq!(
                page.text.contains(&format!("name=\"delivery\" value=\"{delivery}\"")),
                tickable,
                "{role} {path}"
            );
            assert_eq!(page.text.contains("/logs/deliveries/many"), tickable, "{role} {path}");
        }
    }
}
