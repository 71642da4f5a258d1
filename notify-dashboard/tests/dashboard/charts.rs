//! The charts show what was counted, each for its own tenant, webhook and time.

use std::time::Duration;

use notify_core::delivery::Reason;
use notify_core::testing::Reply;
use notify_core::{NewEndpoint, TenantId};

use crate::fixture::{Page, World, tenant};

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// A webhook at an address of its own, so that its answers are its own; it gives up after its second attempt.
async fn webhook(world: &World, name: &str, owner: &TenantId) -> String {
    let mut new = NewEndpoint::new(name, url(name)).tenant(owner.clone());
    new.options.schedule = Some(Some("5min".parse().unwrap()));
    world.engine.endpoints().create(new).await.unwrap().endpoint.id.to_string()
}

fn url(name: &str) -> String {
    format!("https://{name}.example.com/hook")
}

async fn later(world: &World, by: Duration) {
    world.clock.advance(by);
    world.engine.run_once().await.unwrap();
}

#[tokio::test]
async fn each_chart_shows_its_tenant_s_attempts_and_no_other_s() {
    let world = World::new();
    let (red, blue) = (tenant("red"), tenant("blue"));
    webhook(&world, "red", &red).await;
    webhook(&world, "blue", &blue).await;
    // One gives up after two attempts, one succeeds at its second, two succeed at once.
    world.transport.respond(&url("red"), vec![Reply::Status(503); 3]);
    world.transport.respond(&url("blue"), [Reply::Failure(Reason::ResponseTimeout)]);
    world.publish("{}", &red).await;
    later(&world, Duration::from_secs(300)).await;
    world.publish("{}", &red).await;
    later(&world, Duration::from_secs(300)).await;
    world.publish("{}", &red).await;
    world.publish("{}", &red).await;
    world.publish("{}", &blue).await;

    let page = world.get("/?tenant=red").await.expect(200);
    page.shows("3 delivered and 1 given up in the last 24 hours.");
    page.shows("Half of the 6 attempts took at most 1 ms, 95 of 100 took at most 1 ms");
    page.shows(&format!("3 of 6 attempts failed, all of them because {}.", Reason::Status5xx.sentence()));
    page.shows("<span class=\"big\">0</span> deliveries wait; none is overdue.");
    page.shows(">1 Jan 00:00</time></th><td data-label=\"Delivered\"><span>3</span></td>");
    page.hides(Reason::ResponseTimeout.sentence());

    let page = world.get("/?tenant=blue").await.expect(200);
    page.shows("0 delivered and 0 given up in the last 24 hours.");
    page.shows(&format!("The one attempt failed because {}.", Reason::ResponseTimeout.sentence()));
    page.shows("The one attempt took at most 1 ms.");
    page.shows("<span class=\"big\">1</span> delivery waits; none is overdue.");
    page.hides(Reason::Status5xx.sentence());
}

/// The cells of the row of `name` in the overview's table of webhooks.
fn standing(page: &Page, name: &str) -> Vec<String> {
    let (_, table) = page.text.split_once("data-live=\"standings\"").expect("the table is there");
    let row = table.split("<tr>").find(|row| row.contains(&format!("<bdi>{name}</bdi>"))).expect("the row is there");
    let cells = row.split("<td ").skip(1).map(|cell| {
        let text = cell.split_once('>').unwrap().1.split("</td>").next().unwrap();
        // The text between tags.
        text.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect::<String>()
    });
    cells.collect()
}

#[tokio::test]
async fn the_overview_tells_of_each_webhook_how_it_did_in_the_time_that_is_shown() {
    let world = World::new();
    let (red, blue) = (tenant("red"), tenant("blue"));
    for name in ["steady", "shaky", "down"] {
        webhook(&world, name, &red).await;
    }
    webhook(&world, "foreign", &blue).await;
    world.transport.respond(&url("shaky"), [Reply::Failure(Reason::Tls), Reply::Status(503)]);
    world.transport.respond(&url("down"), vec![Reply::Status(404); 9]);
    world.publish("{}", &blue).await;
    for _ in 0..3 {
        world.publish("{}", &red).await;
        later(&world, Duration::from_secs(60)).await;
    }
    later(&world, Duration::from_secs(300)).await;

    let page = world.get("/?tenant=red").await.expect(200);
    let because = |reason: Reason| {
        let (first, rest) = reason.sentence().split_at(1);
        format!("{}{rest}.", first.to_uppercase())
    };
    assert_eq!(standing(&page, "down"), ["down", "6", "0 %", "1 Jan 2026 00:00:00", &because(Reason::Status4xx)]);
    let [_, attempts, share, failing, reason] = &standing(&page, "shaky")[..] else { panic!("five cells") };
    assert_eq!((&**attempts, &**share, &**failing), ("5", "60 %", "–"));
    assert!([Reason::Tls, Reason::Status5xx].map(because).contains(reason), "{reason}");
    assert_eq!(standing(&page, "steady"), ["steady", "3", "100 %", "–", "–"]);
    let place =
        |name: &str| page.text.find(&format!("<bdi>{name}</bdi></a></td>\n      <td data-label=\"Attempts\"")).unwrap();
    assert!(place("down") < place("shaky") && place("shaky") < place("steady"));
    page.hides("foreign");
    page.shows("Webhooks in the last 24 hours, those with most failed attempts first");

    world.clock.advance(DAY * 2);
    world.get("/?tenant=red").await.expect(200).hides("By webhook");
    let month = world.get("/?tenant=red&range=30d").await.expect(200);
    assert_eq!(standing(&month, "steady")[1], "3");
    let foreign = world.get("/?tenant=blue&range=30d").await.expect(200);
    assert_eq!(standing(&foreign, "foreign")[1..3], ["1", "100 %"]);
    foreign.hides("steady");
}

#[tokio::test]
async fn a_range_shows_what_lies_in_it_and_nothing_older() {
    let world = World::new();
    world.webhook("crm").await;
    world.publish("{}", &tenant("default")).await;
    let ranges = [("1h", "hour"), ("24h", "24 hours"), ("7d", "7 days"), ("30d", "30 days")];
    let mut age = Duration::ZERO;
    for (index, next) in [DAY / 24, DAY, DAY * 7, DAY * 30].into_iter().enumerate() {
        for (at, (range, words)) in ranges.iter().enumerate() {
            let number = u32::from(at >= index);
            let page = world.get(&format!("/?range={range}")).await.expect(200);
            page.shows(&format!("{number} delivered and 0 given up in the last {words}."));
            let label = words.replace("hour", if *range == "1h" { "1 hour" } else { "hour" });
            page.shows(&format!(" aria-current=\"true\">{label}</a>"));
        }
        world.clock.advance(next - age);
        age = next;
    }
    world.get("/?range=30d").await.expect(200).shows("0 delivered and 0 given up in the last 30 days.");
    world.get("/?range=2y").await.expect(400).shows("does not exist");
}

#[tokio::test]
async fn without_activity_the_words_stand_alone() {
    let world = World::new();
    let (id, _) = world.webhook("crm").await;
    for path in ["/".to_owned(), format!("/webhooks/{id}/health")] {
        let page = world.get(&path).await.expect(200);
        page.shows("0 delivered and 0 given up in the last 24 hours.");
        page.shows("No attempt ended in the last 24 hours.");
        page.shows("No attempt failed in the last 24 hours.");
        page.hides("Show as table");
        page.hides("class=\"plot\"");
    }
}

#[tokio::test]
async fn a_failing_webhook_is_told_wherever_it_is_seen_until_it_succeeds() {
    let world = World::new();
    let owner = tenant("default");
    let id = webhook(&world, "crm", &owner).await;
    let steady = webhook(&world, "steady", &owner).await;
    world.transport.respond(&url("crm"), [Reply::Status(500)]);
    world.publish("{}", &owner).await;
    world.clock.advance(Duration::from_secs(240));
    let since = "1 Jan 2026 00:00:00";
    world.get("/").await.expect(200).shows(&format!("crm fails since {since} UTC (4 min)."));
    let told = format!("datetime=\"2026-01-01T00:00:00.000Z\" title=\"2026-01-01T00:00:00.000Z\">{since}</time>");
    let list = world.get("/webhooks").await.expect(200);
    list.shows(&format!(
        "Failing since <time {}",
        told.replace('>', " data-still>").replace("</time data-still>", "</time>")
    ));
    assert_eq!(list.text.matches("Failing since").count(), 1);
    for path in ["", "/health"] {
        let told = format!("<strong>Failing</strong> since <time {told}");
        world.get(&format!("/webhooks/{id}{path}")).await.expect(200).shows(&told);
        world.get(&format!("/webhooks/{steady}{path}")).await.expect(200).hides("<strong>Failing</strong>");
    }
    later(&world, Duration::from_secs(60)).await;
    world.get("/").await.expect(200).hides("crm fails");
    for path in ["/webhooks".to_owned(), format!("/webhooks/{id}"), format!("/webhooks/{id}/health")] {
        world.get(&path).await.expect(200).hides("ailing since");
    }
}

#[tokio::test]
async fn a_webhook_s_figures_are_its_own() {
    let world = World::new();
    let owner = tenant("default");
    let crm = webhook(&world, "crm", &owner).await;
    let steady = webhook(&world, "steady", &owner).await;
    world.transport.respond(&url("crm"), vec![Reply::Status(500); 2]);
    for _ in 0..3 {
        world.publish("{}", &owner).await;
    }
    let crm_health = world.get(&format!("/webhooks/{crm}/health")).await.expect(200);
    crm_health.shows("1 delivered and 0 given up in the last 24 hours.");
    crm_health.shows("2 of 3 attempts failed");
    crm_health.shows("<span class=\"big\">2</span> deliveries scheduled.");
    let steady_health = world.get(&format!("/webhooks/{steady}/health?range=1h")).await.expect(200);
    steady_health.shows("3 delivered and 0 given up in the last hour.");
    steady_health.shows("No attempt failed in the last hour.");
    let list = world.get("/webhooks").await.expect(200);
    for (name, delivered, failed) in [("crm", 1, 2), ("steady", 3, 0)] {
        let row = list.text.split("<tr>").find(|row| row.contains(&format!("<bdi>{name}</bdi>"))).unwrap();
        assert!(row.contains(&format!("</span> {delivered}<span class=\"hidden\"> delivered,")), "{row}");
        assert!(row.contains(&format!("</span> {failed}<span class=\"hidden\"> failed attempts")), "{row}");
        assert_eq!(row.contains("class=\"bad\" x="), failed > 0, "{row}");
    }
    let foreign = [("x-tenant", "red")];
    world.call("GET", &format!("/webhooks/{crm}/health"), &foreign, "").await.expect(404);
}
