//! Where the dashboard may be mounted, and the headers of every answer.

use axum::Router;
use axum::http::Uri;
use notify_core::testing::{Reply, ScriptedTransport};
use notify_core::{Engine, MemoryStore};
use notify_dashboard::{Access, BuildError, Dashboard, DashboardBuilder, Guarded, Scope};

use crate::fixture::{World, call};

fn builder() -> DashboardBuilder<Guarded> {
    let transport = ScriptedTransport::new(Reply::Status(200));
    let engine = Engine::builder(MemoryStore::new()).transport(transport).build().unwrap();
    Dashboard::builder(&engine).authorize(|_| std::future::ready(Access::admin(Scope::All)))
}

/// Follows every link and asset of the pages from `start`, and checks that each is there.
async fn crawl(app: &Router, start: &str, prefix: &str) {
    let mut todo = vec![start.to_owned()];
    let mut seen = std::collections::BTreeSet::new();
    while let Some(path) = todo.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let page = call(app, "GET", &path, &[], "").await;
        assert_eq!(page.status.as_u16(), 200, "{path} of {start}");
        if path.contains("/assets/") {
            continue;
        }
        for attribute in ["href=\"", "src=\"", "action=\""] {
            for link in page.text.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()) {
                let link = link.replace("&#38;", "&");
                if link.starts_with('#') || link.ends_with("/theme") || link.ends_with("/zone") {
                    continue;
                }
                assert!(link.starts_with(&format!("{prefix}/")), "{link} on {path} leaves {prefix}");
                todo.push(link);
            }
        }
    }
    assert!(seen.len() > 12, "{start}: only {seen:?}");
}

#[tokio::test]
async fn mounted_anywhere_no_link_is_broken_and_both_slash_forms_answer() {
    for (mount, prefix) in [("/", ""), ("/a", "/a"), ("/a/b", "/a/b"), ("/a/", "/a")] {
        let dashboard = builder().build().unwrap();
        let app = dashboard.mount(Router::new(), mount);
        crawl(&app, &format!("{prefix}/"), prefix).await;
        if !prefix.is_empty() {
            crawl(&app, prefix, prefix).await;
        }
        crawl(&app, &format!("{prefix}/logs/"), prefix).await;
    }
    let nested = Router::new().nest("/x", Router::new().nest_service("/y", builder().build().unwrap().router()));
    crawl(&nested, "/x/y/", "/x/y").await;
    let with_parameter = Router::new().nest_service("/t/{team}", builder().build().unwrap().router());
    crawl(&with_parameter, "/t/red", "/t/red").await;
}

#[tokio::test]
async fn behind_something_that_strips_the_path_base_path_says_what_browsers_see() {
    let inner = builder().base_path("/public/notify").build().unwrap().into_service();
    let strip = tower::util::MapRequest::new(inner, |mut request: axum::extract::Request| {
        let rest = request.uri().path_and_query().unwrap().as_str().strip_prefix("/public/notify").unwrap().to_owned();
        *request.uri_mut() = if rest.is_empty() { Uri::from_static("/") } else { rest.parse().unwrap() };
        request
    });
    let proxied = Router::new().fallback_service(strip);
    crawl(&proxied, "/public/notify/", "/public/notify").await;
}

#[tokio::test]
async fn two_dashboards_of_two_engines_live_in_one_router() {
    let app = builder().build().unwrap().mount(Router::new(), "/one");
    let app = builder().build().unwrap().mount(app, "/two");
    crawl(&app, "/one", "/one").await;
    crawl(&app, "/two", "/two").await;
}

#[tokio::test]
async fn every_answer_has_the_headers_and_no_page_has_inline_code() {
    let world = World::new();
    for (path, role, status) in [
        ("/", "admin", 200),
        ("/logs", "admin", 200),
        ("/webhooks/new", "admin", 200),
        ("/nothing", "admin", 404),
        ("/theme", "admin", 405),
        ("/", "nobody", 403),
        ("/", "stranger", 303),
    ] {
        let page = world.call("GET", path, &[("x-role", role)], "").await.expect(status);
        let policy = page.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("referrer-policy"), "same-origin");
        assert_eq!(page.header("cache-control"), "private, no-cache");
        if status != 303 {
            assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        }
        for inline in [" style=", "<style", "<script>", " onclick=", " onload=", "javascript:"] {
            page.hides(inline);
        }
    }
    let page = world.get("/").await;
    let style = page.after("rel=\"stylesheet\"", "href");
    let asset = call(&world.app, "GET", &style, &[], "").await.expect(200);
    assert_eq!(asset.header("cache-control"), "public, max-age=31536000, immutable");
}

#[tokio::test]
async fn a_theme_is_remembered_and_the_way_back_stays_inside() {
    let world = World::new();
    for (here, back) in [
        ("%2Flogs%3Frange%3Dall", "/notify/logs?range=all"),
        ("https%3A%2F%2Fevil.example", "/notify/"),
        ("%2F%2Fevil.example", "/notify/"),
        ("%2F%5Cevil.example", "/notify/"),
        ("", "/notify/"),
    ] {
        let page = world.post("/theme", &format!("theme=dark&here={here}")).await.expect(303);
        assert_eq!(page.header("location"), back);
        assert!(page.header("set-cookie").starts_with("notify_theme=dark; Path=/notify;"));
    }
    let team = Router::new().nest_service("/t/{team}", builder().build().unwrap().router());
    let page = call(&team, "POST", "/t/a;Domain=evil.example/theme", &[], "theme=dark").await.expect(303);
    assert!(page.header("set-cookie").starts_with("notify_theme=dark; Path=/;"), "{page:?}");
    let page = world.call("GET", "/", &[("cookie", "a=b; notify_theme=dark")], "").await.expect(200);
    page.shows("data-theme=\"dark\"");
    world
        .call("GET", "/", &[("cookie", "notify_theme=\"><script>")], "")
        .await
        .expect(200)
        .shows("data-theme=\"auto\"");
}

#[test]
fn settings_that_cannot_be_used_are_refused_by_name() {
    for origin in ["", "app.example.com", "https://app.example.com/path", "null"] {
        assert_eq!(builder().trusted_origin(origin).build().unwrap_err(), BuildError::TrustedOrigin(origin.into()));
    }
    for path in ["a", "/a/", "//a", "/a?b", "/a b"] {
        assert_eq!(builder().base_path(path).build().unwrap_err(), BuildError::BasePath(path.into()));
    }
    for href in ["javascript:alert(1)", "//evil.example", "", "data:text/html,x"] {
        assert_eq!(builder().back_link(href, "x").build().unwrap_err(), BuildError::BackLink(href.into()));
    }
    for sources in ["", "'self'; script-src *", "a\nb"] {
        assert_eq!(builder().frame_ancestors(sources).build().unwrap_err(), BuildError::FrameAncestors(sources.into()));
    }
}
