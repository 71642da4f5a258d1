//! The times shown are the times that the store holds.

use std::time::Duration;

use notify_core::testing::Reply;

use crate::fixture::{URL, World, tenant};

#[tokio::test]
async fn the_next_attempt_and_the_end_equal_what_the_store_holds_at_each_step() {
    let world = World::new();
    world.webhook("crm").await;
    world.transport.respond(URL, vec![Reply::Status(503); 6]);
    let event = world.publish("{}", &tenant("default")).await;
    let id = world.delivery_of(&event, &tenant("default")).await;
    let path = format!("/logs/deliveries/{id}");
    for (used, delay, next, end) in [
        (1, 5, "00:05:00", "17:35:00"),
        (2, 30, "00:35:00", "17:35:00"),
        (3, 120, "02:35:00", "17:35:00"),
        (4, 300, "07:35:00", "17:35:00"),
        (5, 600, "17:35:00", "17:35:00"),
    ] {
        let stored = world.engine.deliveries().get(&tenant("default"), &id.parse().unwrap()).await.unwrap();
        let outlook = world.engine.history().outlook(std::slice::from_ref(&stored)).await.unwrap()[0];
        let page = world.get(&path).await.expect(200);
        page.shows(&format!("crm: retrying. {used} of 6 attempts used. Next at 1 Jan 2026 {next} UTC"));
        page.shows(&format!("Gives up at 1 Jan 2026 {end} UTC if it keeps failing."));
        assert_eq!(page.after("<dt>Next attempt</dt>", "datetime"), stored.ready_at().unwrap().to_string());
        assert_eq!(page.after("<dt>Gives up at</dt>", "datetime"), outlook.gives_up_at.unwrap().to_string());
        assert_eq!(page.text.matches("<em>planned</em>").count(), 6 - used);
        world.clock.advance(Duration::from_secs(60 * delay));
        world.engine.run_once().await.unwrap();
    }
    let page = world.get(&path).await.expect(200);
    page.shows("crm: failed. Gave up after 6 attempts.");
    page.hides("planned");
    page.hides("Next attempt");
}
