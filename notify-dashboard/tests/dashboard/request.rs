//! What a delivery's page tells of its requests, and by which clock.

use std::time::Duration;

use notify_core::delivery::{ConnectionUse, Part, Reason, Timing, TlsVersion};
use notify_core::sign::{NOTIFY_SIGNATURE, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP};
use notify_core::testing::Reply;
use notify_core::transport::Response;
use notify_core::{EndpointPatch, Secret};

use crate::fixture::{URL, World, tenant};

#[tokio::test]
async fn headers_are_those_that_were_sent_and_what_the_log_does_not_keep_is_not_invented() {
    let world = World::new();
    let owner = tenant("default");
    let (id, _) = world.webhook("crm").await;
    let id = id.parse().unwrap();
    let mut patch = EndpointPatch::default();
    patch.headers = Some(vec![("x-api-key".into(), "canary-credential".into())]);
    world.engine.endpoints().update(&owner, &id, &patch).await.unwrap();
    world.clock.advance(Duration::from_millis(61_500));
    let event = world.publish("{}", &owner).await;
    let path = format!("/logs/deliveries/{}", world.delivery_of(&event, &owner).await);
    let sent = world.transport.sent();
    let value = |name: &str| sent[0].header(name).unwrap().to_owned();

    let page = world.get(&path).await.expect(200);
    let told =
        |name: &str, value: &str| format!("<dt class=\"code\">{name}</dt><dd class=\"code wrapping\">{value}</dd>");
    page.shows(&format!("<dt>POST</dt><dd class=\"code url\"><a href=\"{URL}\""));
    page.shows(&told("content-type", "application/json"));
    for name in [NOTIFY_SIGNATURE, WEBHOOK_ID, WEBHOOK_TIMESTAMP] {
        page.shows(&told(name, &value(name)));
    }
    page.shows(&told(WEBHOOK_SIGNATURE, &value(WEBHOOK_SIGNATURE)));
    page.shows("<dt class=\"code\">x-api-key</dt>");
    page.hides("canary-credential");
    page.shows(&format!("href=\"/notify/logs/events/{event}/body\">as a file"));
    let viewer = world.call("GET", &path, &[("x-role", "viewer")], "").await.expect(200);
    viewer.hides("as a file");

    // From now on nobody can tell which secret it was.
    world.engine.endpoints().stage_secret(&owner, &id).await.unwrap();
    let page = world.get(&path).await.expect(200);
    page.hides(&value(NOTIFY_SIGNATURE));
    page.hides(&value(WEBHOOK_SIGNATURE));
    page.shows("a signature by the secret of that moment: not kept");
    page.shows(&told(WEBHOOK_TIMESTAMP, &value(WEBHOOK_TIMESTAMP)));

    world.engine.endpoints().delete(&owner, &id).await.unwrap();
    let page = world.get(&path).await.expect(200);
    page.shows("not kept");
    page.hides(WEBHOOK_SIGNATURE);
    page.hides("x-api-key");
}

/// The Standard Webhooks headers go only where the secret has that form.
#[tokio::test]
async fn headers_that_a_plain_secret_does_not_make_are_not_told() {
    let world = World::new();
    let new =
        notify_core::NewEndpoint::new("plain", URL).secret(Secret::new("a plain secret of the host's own").unwrap());
    world.engine.endpoints().create(new).await.unwrap();
    let event = world.publish("{}", &tenant("default")).await;
    let delivery = world.delivery_of(&event, &tenant("default")).await;
    let page = world.get(&format!("/logs/deliveries/{delivery}")).await.expect(200);
    page.shows(world.transport.sent()[0].header(NOTIFY_SIGNATURE).unwrap());
    page.hides(WEBHOOK_ID);
}

#[tokio::test]
async fn an_older_attempt_says_why_it_failed_and_what_to_do() {
    let world = World::new();
    world.webhook("crm").await;
    world.transport.respond(URL, [Reply::Failure(Reason::ConnectRefused), Reply::Status(302)]);
    let event = world.publish("{}", &tenant("default")).await;
    let delivery = world.delivery_of(&event, &tenant("default")).await;
    world.clock.advance(Duration::from_secs(300));
    world.engine.run_once().await.unwrap();
    let page = world.get(&format!("/logs/deliveries/{delivery}")).await.expect(200);
    assert_eq!(page.text.matches("Nothing listens at that address and port.").count(), 1, "in the first attempt");
    assert_eq!(page.text.matches("nothing was sent: no connection came about").count(), 1, "in the first attempt");
    assert_eq!(page.text.matches(&format!("<dt class=\"code\">{NOTIFY_SIGNATURE}</dt>")).count(), 1, "in the second");
    assert_eq!(page.text.matches("URL to the final address").count(), 1, "above, for the newest");
}

#[tokio::test]
async fn times_are_told_by_the_clock_that_was_chosen_and_stay_the_same_times() {
    let world = World::new();
    let (id, _) = world.webhook("crm").await;
    world.transport.respond(URL, [Reply::Status(503)]);
    let event = world.publish("{}", &tenant("default")).await;
    let path = format!("/logs/deliveries/{}", world.delivery_of(&event, &tenant("default")).await);
    let utc = world.get(&path).await.expect(200);
    utc.shows("Next at 1 Jan 2026 00:05:00 UTC (in 5 min).");
    utc.shows("Times are UTC<");

    let here = path.replace('/', "%2F");
    let chosen = world.post("/zone", &format!("zone=330&here={here}")).await;
    assert_eq!(chosen.location(), path);
    let cookie = chosen.header("set-cookie");
    assert!(cookie.starts_with("notify_zone=330; Path=/notify;") && cookie.contains("HttpOnly"), "{cookie}");
    let with = [("cookie", "notify_theme=dark; notify_zone=330")];
    let page = world.call("GET", &path, &with, "").await.expect(200);
    page.shows("Next at 1 Jan 2026 05:35:00 UTC+05:30 (in 5 min).");
    page.shows("Gives up at 1 Jan 2026 23:05:00 UTC+05:30");
    page.shows("Times are UTC+05:30");
    page.shows("<option value=\"330\" selected>");
    page.shows("data-theme=\"dark\"");
    for name in ["Next attempt", "Gives up at"] {
        let name = format!("<dt>{name}</dt>");
        assert_eq!(page.after(&name, "datetime"), utc.after(&name, "datetime"), "the markup stays in UTC");
    }
    for (page, shown) in [
        ("/logs".to_owned(), "1 Jan 2026 05:30:00</time>"),
        (format!("/webhooks/{id}/health"), "1 Jan 05:30</time>"),
        (format!("/webhooks/{id}/history"), "1 Jan 2026 05:30:00</time>"),
        ("/".into(), "fails since 1 Jan 2026 05:30:00 UTC+05:30"),
    ] {
        world.call("GET", &page, &with, "").await.expect(200).shows(shown);
    }
    for odd in ["", "1", "99999999999", "%3Cscript%3E"] {
        let answer = world.post("/zone", &format!("zone={odd}&here=%2F%2Fevil.example")).await;
        assert_eq!(answer.location(), "/");
        assert!(answer.header("set-cookie").starts_with("notify_zone=0;"));
    }
}

#[tokio::test]
async fn an_attempt_tells_where_its_time_went_and_over_what_and_leaves_out_what_did_not_happen() {
    let world = World::new();
    world.webhook("crm").await;
    let answer = |timing| {
        let mut response = Response::new(500);
        response.timing = timing;
        Reply::Response(response)
    };
    let new = Timing::new(ConnectionUse::New).with_tls(TlsVersion::V1_3);
    let millis = [3, 12, 30, 140].map(Duration::from_millis);
    let whole = Part::ALL.into_iter().zip(millis).fold(new, |timing, (part, length)| timing.with(part, length));
    let reused = Timing::new(ConnectionUse::Reused).with(Part::FirstByte, Duration::from_micros(90));
    // What the page of a new event's delivery tells of its first attempt.
    let told = async |timing| {
        world.transport.respond(URL, [answer(timing)]);
        let event = world.publish("{}", &tenant("default")).await;
        let delivery = world.delivery_of(&event, &tenant("default")).await;
        let page = world.call("GET", &format!("/logs/deliveries/{delivery}"), &[("x-role", "viewer")], "").await;
        let text = page.expect(200).text;
        text[text.find("<dt>Took</dt>").unwrap()..text.find("<h3>Response</h3>").unwrap()].to_owned()
    };
    let (all, one, none) = (told(Some(whole)).await, told(Some(reused)).await, told(None).await);
    let labels = ["DNS 3 ms", "connect 12 ms", "TLS 30 ms", "first byte 140 ms"];
    let places: Vec<usize> = labels.iter().map(|label| all.find(&format!("</svg>{label}</li>")).unwrap()).collect();
    assert!(places.is_sorted() && all.contains("<dd>new connection, TLS 1.3</dd>"), "{all}");
    assert_eq!(all.matches("<rect").count(), 8, "{all}");
    assert!(one.contains("first byte under 1 ms") && one.contains("<dd>reused connection</dd>"), "{one}");
    assert_eq!((one.matches("<li>").count(), one.matches("<rect").count()), (1, 2), "{one}");
    assert!(!none.contains("<svg") && !none.contains("connection"), "{none}");
}
