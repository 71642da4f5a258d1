//! A hundred payloads in each place where strangers' text gets onto a page.

use notify_core::delivery::{Reason, Response};
use notify_core::testing::Reply;
use notify_core::{EndpointPatch, NewEndpoint, NewEvent};

use notify_dashboard::{Access, Scope};

use crate::fixture::{World, tenant};

/// 20 tricks in 5 contexts.
fn payloads() -> Vec<String> {
    let tricks = [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "<iframe srcdoc=\"<script>alert(1)</script>\">",
        "<a href=\"javascript:alert(1)\">x</a>",
        "<math><mi//xlink:href=\"data:x,<script>alert(1)</script>\">",
        "<body onload=alert(1)>",
        "<details open ontoggle=alert(1)>",
        "<style>@import 'javascript:alert(1)'</style>",
        "<meta http-equiv=refresh content=\"0;url=javascript:alert(1)\">",
        "<base href=//evil.example/>",
        "<form action=//evil.example><button>",
        "<object data=javascript:alert(1)>",
        "<embed src=javascript:alert(1)>",
        "<input autofocus onfocus=alert(1)>",
        "<video><source onerror=alert(1)>",
        "{{7*7}}<%= 7*7 %>${alert(1)}<x>",
        "&lt;script&gt;alert(1)&lt;/script&gt;<y>",
        "<ScRiPt/src=//evil.example>",
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    ];
    let contexts =
        [("", ""), ("\">", ""), ("'>", ""), ("</td></script></textarea></pre></title>", ""), ("-->", "<!--")];
    contexts.iter().flat_map(|(before, after)| tricks.map(|trick| format!("{before}{trick}{after}"))).collect()
}

/// What the templates write by themselves: any other tag, or any attribute beyond these, came from outside.
fn assert_clean(html: &str, payload: &str, place: &str) {
    const TAGS: &[&str] = &[
        "!doctype", "html", "head", "meta", "title", "link", "script", "body", "a", "header", "div", "img", "span",
        "nav", "ul", "li", "main", "p", "footer", "form", "label", "input", "button", "fieldset", "legend", "section",
        "h1", "h2", "h3", "dl", "dt", "dd", "table", "caption", "thead", "tr", "th", "tbody", "td", "time", "bdi",
        "strong", "pre", "select", "option", "datalist", "details", "summary", "textarea", "ol", "em", "svg", "rect",
        "path",
    ];
    let scripts = html.matches("<script").count();
    assert_eq!(scripts, 1, "{place}: {payload:?} made a script");
    assert_eq!(html.matches("<title>").count(), 1, "{place}: {payload:?}");
    for rest in html.split('<').skip(1) {
        let name = rest.trim_start_matches('/').split([' ', '>', '\n']).next().unwrap().to_ascii_lowercase();
        assert!(TAGS.contains(&name.as_str()), "{place}: {payload:?} made <{name}>");
        let tag = rest.split('>').next().unwrap().to_ascii_lowercase();
        for attribute in [
            " onerror",
            " onload",
            " onfocus",
            " ontoggle",
            " onmouseover",
            " srcdoc",
            " style=",
            "javascript:",
            "//evil",
            "http-equiv",
        ] {
            // A quoted value may hold the payload's words; an attribute of its own cannot follow a quote.
            let outside: String = tag.split('"').step_by(2).collect();
            assert!(!outside.contains(attribute), "{place}: {payload:?} made {attribute} in <{tag}>");
        }
        for (index, value) in tag.split('"').enumerate() {
            if index % 2 == 1
                && tag.split('"').nth(index - 1).is_some_and(|before| {
                    before.ends_with("href=") || before.ends_with("src=") || before.ends_with("action=")
                })
            {
                assert!(
                    value.starts_with('/') || value.starts_with('#') || value.starts_with("http"),
                    "{place}: {payload:?} leads to {value}"
                );
            }
        }
    }
}

async fn all_pages(world: &World, webhook: &str, event: &str, delivery: &str, payload: &str, place: &str) {
    for path in [
        "/".to_owned(),
        "/webhooks".into(),
        format!("/webhooks/{webhook}"),
        format!("/webhooks/{webhook}/health"),
        format!("/webhooks/{webhook}/history"),
        format!("/webhooks/{webhook}/edit"),
        format!("/webhooks/{webhook}/delete"),
        format!("/webhooks/{webhook}/secret"),
        format!("/webhooks/{webhook}/recover"),
        format!("/webhooks/{webhook}/missing"),
        "/logs?range=all".into(),
        "/logs?range=all&by=delivery".into(),
        format!("/logs/deliveries/matching?range=all&by=delivery&do=resend&webhook={webhook}"),
        format!("/logs/events/{event}"),
        format!("/logs/events/{event}?view=pretty"),
        format!("/logs/deliveries/{delivery}"),
        "/event-types".into(),
    ] {
        let page = world.get(&path).await.expect(200);
        assert_clean(&page.text, payload, &format!("{place} on {path}"));
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// C76 and fault 46. Name, description, URL, a header's name, answer, location and so the error's text, the data's key and
/// value, what the host makes of the body, who disabled it, who is signed in, and the host's own name.
#[tokio::test]
async fn a_hundred_payloads_in_what_is_stored_make_no_markup() {
    assert_eq!(payloads().len(), 100);
    for payload in payloads() {
        let (formatted, name, back) = (payload.clone(), payload.clone(), payload.clone());
        let world = World::with(|dashboard| {
            dashboard
                .authorize(move |_| std::future::ready(Access::admin(Scope::All).named(name.clone())))
                .back_link("/", back)
                .format_payload(move |event, _| {
                    (event.event_type.as_str() == "connection.updated").then(|| formatted.clone())
                })
        });
        let url = format!("https://x.example.com/{}", payload.replace([' ', '\n'], "%20"));
        let mut new = NewEndpoint::new(payload.clone(), url.clone());
        new.options.description = Some(payload.clone());
        // All that a field name may have of a payload (RFC 9110, section 5.6.2).
        let name: String =
            payload.chars().filter(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(*c)).collect();
        new.options.headers = Some(vec![(format!("x-{name}"), "v".into())]);
        let webhook = world.engine.endpoints().create(new).await.unwrap().endpoint.id.clone();
        let mut answer = Response::new(302);
        answer.body = payload.clone().into();
        answer.location = Some(payload.clone());
        world.transport.respond(&url, [Reply::Response(answer.clone()), Reply::Failure(Reason::Tls)]);
        let data = format!("{{{:?}:{:?}}}", payload.replace('\'', ""), payload.replace('\'', ""));
        let event = world.publish(&data, &tenant("default")).await;
        let delivery = world.delivery_of(&event, &tenant("default")).await;
        let updated = NewEvent::new("connection.updated", "{}").unwrap();
        let updated = world.engine.publish_event(updated).await.unwrap().event_id;
        world.engine.endpoints().disable(&tenant("default"), &webhook, &payload).await.unwrap();
        all_pages(&world, webhook.as_str(), event.as_str(), &delivery, &payload, "stored").await;
        for path in [
            format!("/webhooks/{webhook}?ping={delivery}"),
            format!("/logs/events/{updated}"),
            format!("/logs/events/{updated}?view=pretty"),
        ] {
            let page = world.get(&path).await.expect(200);
            assert_clean(&page.text, &payload, &path);
        }
        let resent = world.post("/logs/deliveries/many", &format!("do=cancel&delivery={delivery}")).await.expect(200);
        assert_clean(&resent.text, &payload, "many");
        let missing = world.get("/nothing").await.expect(404);
        assert_clean(&missing.text, &payload, "missing");
    }
}

/// What stands in the address, in cookies and in forms: 72 places.
#[tokio::test]
async fn a_hundred_payloads_in_what_is_sent_make_no_markup() {
    let world = World::new();
    let (webhook, _) = world.webhook("crm").await;
    let event = world.publish("{}", &tenant("default")).await;
    for payload in payloads() {
        let sent = encoded(&payload);
        for (path, names) in [
            (
                "/logs".to_owned(),
                &["status", "reason", "class", "type", "webhook", "purpose", "range", "from", "to"][..],
            ),
            ("/logs".to_owned(), &["cursor", "q", "by", "done", "tenant"]),
            ("/logs/deliveries/matching".to_owned(), &["do", "tenant"]),
            (
                "/logs/deliveries/matching?by=delivery&do=resend".to_owned(),
                &["status", "reason", "class", "type", "webhook", "purpose", "range", "from", "to", "cursor"],
            ),
            ("/webhooks".into(), &["q", "status", "cursor", "done"]),
            ("/".into(), &["range", "done"]),
            (format!("/webhooks/{webhook}"), &["ping", "type", "done"]),
            (format!("/webhooks/{webhook}/health"), &["range"]),
            (format!("/webhooks/{webhook}/recover"), &["range"]),
            (format!("/webhooks/{webhook}/missing"), &["range"]),
            (format!("/logs/events/{event}"), &["view"]),
        ] {
            for name in names {
                let and = if path.contains('?') { '&' } else { '?' };
                let page = world.get(&format!("{path}{and}{name}={sent}")).await;
                assert_clean(&page.text, &payload, &format!("{name} of {path}"));
            }
        }
        for field in [
            "name",
            "url",
            "description",
            "patterns",
            "events",
            "headers",
            "success",
            "schedule",
            "timeout",
            "jitter",
            "retry_after",
            "disabled",
        ] {
            // The URL is one that the transport refuses, so that the form comes back.
            let form = if field == "url" {
                format!("name=&url={sent}")
            } else {
                format!("url=refused%3Ax&name=x&{field}={sent}")
            };
            let page = world.post("/webhooks", &form).await.expect(422);
            assert_clean(&page.text, &payload, field);
        }
        for (path, form, status) in [
            (format!("/webhooks/{webhook}/delete"), format!("name={sent}"), 200),
            (format!("/webhooks/{webhook}/ping"), format!("type={sent}"), 422),
            (format!("/webhooks/{webhook}/ping"), format!("type=a.b&data={sent}"), 422),
            (format!("/webhooks/{webhook}/ping"), format!("type=Bad&filled={sent}&data={sent}"), 422),
            (format!("/webhooks/{webhook}/enable"), format!("backlog={sent}"), 400),
            (format!("/webhooks/{webhook}/secret/rotate"), format!("overlap={sent}"), 400),
            (format!("/webhooks/{webhook}/recover"), format!("since={sent}"), 400),
            (format!("/webhooks/{webhook}/missing"), format!("since=0&cursor={sent}"), 400),
            ("/logs/deliveries/many".into(), format!("do={sent}"), 400),
            ("/logs/deliveries/matching?by=delivery".into(), format!("do={sent}"), 400),
            ("/logs/deliveries/matching?by=delivery".into(), format!("do=resend&asked={sent}"), 400),
            ("/logs/deliveries/matching?by=delivery".into(), format!("do=cancel&asked=0&cursor={sent}"), 400),
            (format!("/logs/deliveries/matching?by=delivery&type={sent}"), "do=cancel&asked=0".into(), 400),
            ("/logs/deliveries/many".into(), format!("do=resend&delivery={sent}&here={sent}"), 200),
            ("/logs/deliveries/many".into(), format!("do=cancel&delivery={sent}&here=%2F{sent}"), 200),
        ] {
            let page = world.post(&path, &form).await.expect(status);
            assert_clean(&page.text, &payload, &form);
        }
        for path in ["/theme", "/zone"] {
            let page = world.post(path, &format!("theme={sent}&zone={sent}&here={sent}")).await.expect(303);
            assert_eq!(page.header("location"), "/notify/", "{payload}");
            assert!(!page.header("set-cookie").contains(['<', '"']), "{payload}");
        }
        let cookies = format!("notify_zone={payload}; notify_theme={payload}");
        let page = world.call("GET", "/", &[("cookie", &cookies)], "").await.expect(200);
        assert_clean(&page.text, &payload, "cookies");
        let origin = world.call("POST", "/theme", &[("origin", &payload)], "").await.expect(403);
        assert_clean(&origin.text, &payload, "origin");
    }
}

#[tokio::test]
async fn a_tenant_with_markup_in_its_name_stays_text() {
    for payload in payloads() {
        let world = World::new();
        let Ok(owner) = payload.parse::<notify_core::TenantId>() else { continue };
        let event = NewEvent::new("connection.created", "{}").unwrap().for_tenant(owner.clone());
        let id = world.engine.publish_event(event).await.unwrap().event_id;
        let query = format!("?tenant={}", encoded(&payload));
        for path in ["/".to_owned(), "/logs".into(), format!("/logs/events/{id}")] {
            let page = world.get(&format!("{path}{query}")).await.expect(200);
            assert_clean(&page.text, &payload, "tenant");
        }
    }
}

/// Only http and https become links, whatever a store or another version once took.
#[tokio::test]
async fn a_url_of_another_scheme_is_text() {
    let world = World::new();
    let (id, _) = world.webhook("crm").await;
    let mut patch = EndpointPatch::default();
    patch.url = Some("javascript:alert(1)//https://x".into());
    let id = id.parse().unwrap();
    world.engine.endpoints().update(&tenant("default"), &id, &patch).await.unwrap();
    let event = world.publish("{}", &tenant("default")).await;
    let delivery = world.delivery_of(&event, &tenant("default")).await;
    let page = world.get(&format!("/logs/deliveries/{delivery}")).await.expect(200);
    page.shows("javascript:alert(1)//https://x");
    page.hides("href=\"javascript:");
}
