//! A store that does not answer: each page says so in words, and nothing of its insides.

use notify_core::Engine;
use notify_core::testing::Reply;
use notify_dashboard::ActionOutcome;

use crate::fault_store::{FaultStore, INTERNALS, fault_store};
use crate::fixture::{Page, URL, World, forms, tenant};

/// A webhook with a delivery that is to be tried again.
async fn world() -> (World, FaultStore, String, String, String) {
    let store = fault_store();
    let world = World::of(Engine::builder(store.clone()), |dashboard| dashboard);
    let (webhook, _) = world.webhook("crm").await;
    world.transport.respond(URL, [Reply::Status(500)]);
    let event = world.publish("{}", &tenant("default")).await;
    let delivery = world.delivery_of(&event, &tenant("default")).await;
    (world, store, webhook, event.to_string(), delivery)
}

#[track_caller]
fn assert_told(page: &Page, path: &str) {
    assert_eq!(page.status.as_u16(), 503, "{path}: {}", page.text);
    page.shows("The store does not answer");
    page.shows("Deliveries are safe");
    page.shows("</html>");
    page.hides("cache.internal");
    page.hides(INTERNALS);
    assert_eq!(page.header("retry-after"), "5", "{path}");
}

#[tokio::test]
async fn each_page_says_that_the_store_does_not_answer_whichever_of_its_reads_it_was() {
    let (world, store, webhook, event, delivery) = world().await;
    for path in [
        "/".to_owned(),
        "/?range=30d".into(),
        "/webhooks".into(),
        format!("/webhooks/{webhook}"),
        format!("/webhooks/{webhook}?ping={delivery}"),
        format!("/webhooks/{webhook}/health"),
        format!("/webhooks/{webhook}/history"),
        format!("/webhooks/{webhook}/secret"),
        format!("/webhooks/{webhook}/edit"),
        format!("/webhooks/{webhook}/delete"),
        format!("/webhooks/{webhook}/recover"),
        format!("/webhooks/{webhook}/missing"),
        "/logs".into(),
        "/logs?by=delivery".into(),
        format!("/logs/deliveries/matching?by=delivery&do=resend&webhook={webhook}"),
        "/logs/deliveries/matching?by=delivery&do=cancel".into(),
        format!("/logs?q={event}"),
        format!("/logs?q={delivery}"),
        format!("/logs/events/{event}"),
        format!("/logs/events/{event}/body"),
        format!("/logs/deliveries/{delivery}"),
        "/event-types".into(),
        "/about".into(),
    ] {
        store.between().shut();
        let page = world.get(&path).await;
        assert_told(&page, &path);
        let again = page.after("class=\"button primary\"", "href");
        assert_eq!(again, format!("/notify{path}"), "the way to try again");
        store.between().open();
        let mut reads = 0;
        loop {
            store.between().fail_after(reads);
            let page = world.get(&path).await;
            if !store.between().open() {
                assert!(page.status.is_success() || page.status.is_redirection(), "{path}: {}", page.text);
                break;
            }
            assert_told(&page, &format!("{path}, read {reads}"));
            reads += 1;
            assert!(reads < 100, "{path} reads without end");
        }
        assert!(reads > 0, "{path} reads nothing");
    }
}

#[tokio::test]
async fn each_form_says_so_too_and_is_told_as_refused() {
    let (world, store, webhook, event, delivery) = world().await;
    store.between().shut();
    let form = "name=crm&url=https%3A%2F%2Fcrm.example.com&backlog=resume&since=0";
    let paths = std::iter::once("/webhooks".to_owned()).chain(forms(&webhook, &event, &delivery));
    for path in paths {
        let page = world.post(&path, form).await;
        assert_told(&page, &path);
        page.shows("look first whether it was done");
        page.hides(">Try again<");
    }
    assert!(world.actions.lock().unwrap().iter().all(|action| action.outcome == ActionOutcome::Refused));
}

#[tokio::test]
async fn of_many_deliveries_the_page_says_which_were_done_which_are_unknown_and_which_were_not_tried() {
    let (world, store, _, _, first) = world().await;
    let mut ids = vec![first];
    for _ in 0..3 {
        let event = world.publish("{}", &tenant("default")).await;
        ids.push(world.delivery_of(&event, &tenant("default")).await);
    }
    let ticked: Vec<String> = ids.iter().map(|id| format!("&delivery={id}")).collect();
    let form = format!("do=resend{}", ticked.concat());
    let rounds = async || {
        let mut rounds = Vec::new();
        for id in &ids {
            let delivery = world.engine.deliveries().get(&tenant("default"), &id.parse().unwrap()).await.unwrap();
            rounds.push(delivery.as_stored().round.get());
        }
        rounds
    };
    store.between().shut();
    let page = world.post("/logs/deliveries/many", &form).await;
    assert_told(&page, "many");
    page.shows("<h1>0 sent again, 0 refused, 1 not known, 3 not tried</h1>");
    store.between().open();
    assert_eq!(rounds().await, [1; 4]);

    // Each resend is one load, one look at the webhook, one write and one load, after a load of our own.
    store.between().fail_after(7);
    let page = world.post("/logs/deliveries/many", &form).await;
    assert!(store.between().open());
    assert_told(&page, "many");
    page.shows("<h1>1 sent again, 0 refused, 1 not known, 2 not tried</h1>");
    page.shows("It may have been done: look at it before you repeat it.");
    assert_eq!(rounds().await, [2, 1, 1, 1]);

    // All four are done, and then the names cannot be read: what was done is told all the same.
    store.between().fail_after(20);
    let page = world.post("/logs/deliveries/many", &form).await.expect(200);
    assert!(store.between().open());
    page.shows("<h1>4 sent again, 0 refused</h1>");
    assert_eq!(rounds().await, [3, 2, 2, 2]);
}
