//! An engine on a manual clock with scripted receivers, and its dashboard at `/notify`.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use notify_core::testing::{ManualClock, Reply, ScriptedTransport};
use notify_core::{
    ConnectionCreated, ConnectionUpdated, Engine, EngineBuilder, EventId, MemoryStore, NewEndpoint, NewEvent, Policy,
    RetrySchedule, Secret, TenantId,
};
use notify_dashboard::{Access, Action, Dashboard, DashboardBuilder, Guarded, Scope};
use tower::ServiceExt as _;

pub(crate) const START: &str = "2026-01-01T00:00:00.000Z";
pub(crate) const URL: &str = "https://crm.example.com/hook";

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) clock: ManualClock,
    pub(crate) transport: ScriptedTransport,
    pub(crate) actions: Arc<Mutex<Vec<Action>>>,
    pub(crate) app: Router,
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|dashboard| dashboard)
    }

    pub(crate) fn with(settings: impl FnOnce(DashboardBuilder<Guarded>) -> DashboardBuilder<Guarded>) -> Self {
        Self::of(Engine::builder(MemoryStore::new()), settings)
    }

    /// What fails here has failed for good.
    pub(crate) fn without_retries(engine: EngineBuilder) -> Self {
        let mut policy = Policy::default();
        policy.schedule = RetrySchedule::never();
        Self::of(engine.policy(policy), |dashboard| dashboard)
    }

    pub(crate) fn of(
        engine: EngineBuilder,
        settings: impl FnOnce(DashboardBuilder<Guarded>) -> DashboardBuilder<Guarded>,
    ) -> Self {
        let clock = ManualClock::at(START.parse().unwrap());
        let transport = ScriptedTransport::new(Reply::Status(200));
        let engine = engine
            .transport(transport.clone())
            .clock(clock.clone())
            .event_type::<ConnectionCreated>()
            .event_type::<ConnectionUpdated>()
            .reveal_secrets()
            .build()
            .unwrap();
        let actions: Arc<Mutex<Vec<Action>>> = Arc::default();
        let heard = Arc::clone(&actions);
        let dashboard = Dashboard::builder(&engine)
            .authorize(|request| std::future::ready(role(&request)))
            .on_action(move |action| heard.lock().unwrap().push(action.clone()));
        let app = settings(dashboard).build().unwrap().mount(Router::new(), "/notify");
        Self { engine, clock, transport, actions, app }
    }

    pub(crate) async fn webhook(&self, name: &str) -> (String, Secret) {
        self.webhook_of(name, &TenantId::default()).await
    }

    pub(crate) async fn webhook_of(&self, name: &str, tenant: &TenantId) -> (String, Secret) {
        let new = NewEndpoint::new(name, URL).tenant(tenant.clone());
        let created = self.engine.endpoints().create(new).await.unwrap();
        (created.endpoint.id.to_string(), created.secret)
    }

    /// Publishes, sends what is due, and gives the event's id.
    pub(crate) async fn publish(&self, data: &str, tenant: &TenantId) -> EventId {
        let event = NewEvent::new("connection.created", data).unwrap().for_tenant(tenant.clone());
        let id = self.engine.publish_event(event).await.unwrap().event_id;
        self.engine.run_once().await.unwrap();
        id
    }

    /// The id of the event's first delivery.
    pub(crate) async fn delivery_of(&self, id: &EventId, tenant: &TenantId) -> String {
        let key = notify_core::event::EventKey { tenant: tenant.clone(), id: id.clone() };
        self.engine.history().event(&key).await.unwrap().unwrap().deliveries[0].id().to_string()
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        self.call("GET", path, &[], "").await
    }

    pub(crate) async fn post(&self, path: &str, form: &str) -> Page {
        self.call("POST", path, &[("sec-fetch-site", "same-origin")], form).await
    }

    pub(crate) async fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], form: &str) -> Page {
        call(&self.app, method, &format!("/notify{path}"), headers, form).await
    }
}

/// Sends one request.
pub(crate) async fn call(app: &Router, method: &str, uri: &str, headers: &[(&str, &str)], form: &str) -> Page {
    let mut request = Request::builder().method(method).uri(uri);
    if !headers.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", "app.example.com");
    }
    if !form.is_empty() {
        request = request.header("content-type", "application/x-www-form-urlencoded");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(form.to_owned())).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).expect("a page is UTF-8");
    Page { status: parts.status, headers: parts.headers, text }
}

impl Page {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    #[track_caller]
    pub(crate) fn shows(&self, what: &str) {
        assert!(self.text.contains(what), "the page lacks {what:?}: {}", self.text);
    }

    #[track_caller]
    pub(crate) fn hides(&self, what: &str) {
        assert!(!self.text.contains(what), "the page has {what:?}: {}", self.text);
    }

    /// Where a redirect leads, below the mount path.
    #[track_caller]
    pub(crate) fn location(&self) -> String {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text);
        self.header("location").strip_prefix("/notify").expect("below the mount path").to_owned()
    }

    /// The value of `name="…"` after the first place where `marker` stands.
    #[track_caller]
    pub(crate) fn after(&self, marker: &str, name: &str) -> String {
        let (_, rest) = self.text.split_once(marker).unwrap_or_else(|| panic!("no {marker:?} in {}", self.text));
        let (_, rest) = rest.split_once(&format!("{name}=\"")).expect("the attribute is there");
        rest.split('"').next().unwrap().replace("&#38;", "&")
    }
}

/// Stands in for a login: headers say who it is.
fn role(request: &Parts) -> Access {
    let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
    let scope = header("x-tenant").map_or(Scope::All, |tenant| Scope::Tenant(tenant.parse().unwrap()));
    match header("x-role") {
        Some("nobody") => Access::Denied,
        Some("stranger") => Access::Redirect("/login".into()),
        Some("viewer") => Access::viewer(scope).named("Vic"),
        Some("operator") => Access::operator(scope).named("Oda"),
        _ => Access::admin(scope).named("Ana"),
    }
}

/// Where every form about a webhook, an event or a delivery goes.
pub(crate) fn forms(webhook: &str, event: &str, delivery: &str) -> Vec<String> {
    let of_webhook = [
        "",
        "/disable",
        "/enable",
        "/ping",
        "/recover",
        "/missing",
        "/delete",
        "/secret/reveal",
        "/secret/rotate",
        "/secret/stage",
        "/secret/switch",
        "/secret/retire",
    ];
    let mut paths: Vec<String> = of_webhook.map(|form| format!("/webhooks/{webhook}{form}")).to_vec();
    paths.push(format!("/logs/events/{event}/resend"));
    paths.extend(["resend", "cancel"].map(|form| format!("/logs/deliveries/{delivery}/{form}")));
    paths
}

pub(crate) fn tenant(text: &str) -> TenantId {
    text.parse().unwrap()
}
