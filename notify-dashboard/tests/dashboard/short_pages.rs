//! A store may answer with an empty page that is not the last: the pages look further, or say so.

use notify_core::delivery::Delivery;
use notify_core::store::{Cursor, DeliveryLog, DeliveryQuery, EventQuery, EventRecord, Page, StoreError};
use notify_core::testing::{Intercept, Intercepted, StoreCall};
use notify_core::{Engine, MemoryStore};

use crate::fixture::{World, tenant};

/// Where the page after the first begins: before every row.
const BEGINNING: Cursor = Cursor(u64::MAX);

/// The first page of each list is empty, as where a filter leaves out all that a store looks at in one call.
#[derive(Debug)]
struct FirstPageEmpty;

impl Intercept for FirstPageEmpty {
    async fn around<T: Send>(
        &self,
        _: StoreCall,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        work.await
    }

    async fn events<S: DeliveryLog>(&self, store: &S, query: &EventQuery) -> Result<Page<EventRecord>, StoreError> {
        let mut query = query.clone();
        match query.page.after {
            None => return Ok(Page { items: Vec::new(), next: Some(BEGINNING) }),
            Some(BEGINNING) => query.page.after = None,
            Some(_) => {}
        }
        store.events(&query).await
    }

    async fn deliveries<S: DeliveryLog>(&self, store: &S, query: &DeliveryQuery) -> Result<Page<Delivery>, StoreError> {
        let mut query = query.clone();
        match query.page.after {
            None => return Ok(Page { items: Vec::new(), next: Some(BEGINNING) }),
            Some(BEGINNING) => query.page.after = None,
            Some(_) => {}
        }
        store.deliveries(&query).await
    }
}

fn world() -> World {
    World::of(Engine::builder(Intercepted::new(MemoryStore::new(), FirstPageEmpty)), |dashboard| dashboard)
}

#[tokio::test]
async fn an_empty_part_of_the_log_is_not_taken_for_its_end() {
    let world = world();
    world.webhook("crm").await;
    let event = world.publish("{}", &tenant("default")).await;
    for (path, row) in
        [("/logs?status=delivered", event.to_string()), ("/logs?by=delivery", "/logs/deliveries/dlv_".into())]
    {
        let page = world.get(path).await.expect(200);
        page.shows("<h2>Nothing in this part</h2>");
        page.hides("No events yet");
        page.hides("matches this filter");
        page.hides(&row);
        let further = page.after("<h2>Nothing in this part</h2>", "href");
        let page = world.get(further.strip_prefix("/notify").unwrap()).await.expect(200);
        page.shows(&row);
        page.hides("Nothing in this part");
    }
}

#[tokio::test]
async fn what_is_counted_before_a_form_is_looked_for_beyond_an_empty_page() {
    let world = world();
    world.publish("{}", &tenant("default")).await;
    let (late, _) = world.webhook("late").await;
    let path = format!("/webhooks/{late}/missing");
    world.get(&path).await.expect(200).shows("<strong>1 event</strong>");
    world.post(&path, "since=0").await.expect(200).shows("<strong>1 sent</strong>");
    world.engine.run_once().await.unwrap();
    let page = world.get("/logs/deliveries/matching?by=delivery&do=resend").await.expect(200);
    page.shows("<strong>1 delivery</strong>");
    let path = "/logs/deliveries/matching?by=delivery";
    world.post(path, "do=resend&asked=9999999999999").await.expect(200).shows("<strong>1 sent again</strong>");
    world.get("/logs/deliveries/matching?by=delivery&do=cancel").await.expect(200).shows("<strong>1 delivery</strong>");
}
