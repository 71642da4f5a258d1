//! Serves the dashboard in every state that a page can be in, for a browser's tests and for whoever changes its looks:
//! `/empty`, `/one`, `/many`, `/long`, `/cancelling`, `/viewer`, `/down` and `/denied`, each a mount of its own in one process.
//! Time stands still and receivers are scripted, so each run shows the same.

#[path = "../tests/dashboard/fault_store.rs"]
mod fault_store;

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use notify_core::delivery::{ConnectionUse, Part, Reason, Timing, TlsVersion};
use notify_core::endpoint::{DisableReason, EndpointStatus};
use notify_core::engine::Backlog;
use notify_core::store::MemoryStore;
use notify_core::testing::{ManualClock, Reply, ScriptedTransport};
use notify_core::transport::{Request, Response, SendFailure, Transport};
use notify_core::{
    ConnectionCreated, ConnectionUpdated, Engine, EventPayload, InvalidInput, NewEndpoint, NewEvent, RetrySchedule,
};
use notify_dashboard::{Access, Dashboard, Scope, allow_loopback};

use fault_store::fault_store;

/// The busy service publishes this often, for about a day.
const STEP: Duration = Duration::from_secs(20 * 60);
const ROUNDS: u32 = 70;

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let many = many().await?;
    let nobody = empty()?;
    let mut app = Router::new();
    for (path, engine) in [
        ("/empty", empty()?),
        ("/one", one().await?),
        ("/many", many.clone()),
        ("/long", long().await?),
        ("/cancelling", cancelling().await?),
    ] {
        let sending = engine.clone();
        tokio::spawn(async move { sending.run(std::future::pending()).await });
        let dashboard = Dashboard::builder(&engine)
            .authorize(allow_loopback())
            .back_link("/", "Acme")
            .retention(Duration::from_secs(30 * 24 * 3_600))
            .build()?;
        app = dashboard.mount(app, path);
    }
    let store = fault_store();
    store.between().shut();
    let down = Engine::builder(store).transport(ScriptedTransport::new(Reply::Status(200))).build()?;
    app = Dashboard::builder(&down).authorize(allow_loopback()).build()?.mount(app, "/down");
    let viewer = Access::viewer(Scope::Tenant("default".parse()?)).named("Vic");
    let viewer = Dashboard::builder(&many).authorize(move |_| std::future::ready(viewer.clone())).build()?;
    let denied = Dashboard::builder(&nobody).authorize(|_| std::future::ready(Access::Denied)).build()?;
    app = denied.mount(viewer.mount(app, "/viewer"), "/denied");

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}

fn builder(store: MemoryStore, transport: &ScriptedTransport) -> notify_core::EngineBuilder {
    Engine::builder(store)
        .transport(transport.clone())
        .event_type::<ConnectionCreated>()
        .event_type::<ConnectionUpdated>()
        .reveal_secrets()
}

fn engine(store: MemoryStore, transport: &ScriptedTransport) -> Outcome<Engine> {
    Ok(builder(store, transport).build()?)
}

fn empty() -> Outcome<Engine> {
    engine(MemoryStore::new(), &ScriptedTransport::new(Reply::Status(200)))
}

async fn one() -> Outcome<Engine> {
    let engine = empty()?;
    engine.endpoints().create(NewEndpoint::new("billing", "https://billing.example.com/hook")).await?;
    engine.publish(&ConnectionCreated::example()).await?;
    engine.run_once().await?;
    Ok(engine)
}

/// A webhook whose backlog was being cancelled when the store went away: it stays marked until somebody chooses again.
async fn cancelling() -> Outcome<Engine> {
    let store = fault_store();
    let engine = Engine::builder(store.clone()).transport(ScriptedTransport::new(Reply::Status(200))).build()?;
    let tenant = notify_core::TenantId::default();
    // From before the webhook was there.
    for _ in 0..2 {
        engine.publish(&ConnectionCreated::example()).await?;
    }
    let new = NewEndpoint::new("billing", "https://billing.example.com/hook").disabled("Ana");
    let id = engine.endpoints().create(new).await?.endpoint.id.clone();
    for _ in 0..3 {
        engine.publish(&ConnectionCreated::example()).await?;
    }
    // It is read and marked, and the sweep that comes then fails.
    store.between().fail_after(2);
    let broke = engine.endpoints().enable(&tenant, &id, Backlog::Cancel).await;
    let marked = engine.endpoints().get(&tenant, &id).await?;
    let is_marked = matches!(&marked.status, EndpointStatus::Disabled(why) if why.reason == DisableReason::Cancelling);
    if broke.is_ok() || !is_marked {
        return Err("the webhook is not left half-way".into());
    }
    Ok(engine)
}

/// Lets time pass before each answer: mostly little, now and then much.
#[derive(Clone, Debug)]
struct Slow {
    inner: ScriptedTransport,
    clock: ManualClock,
    sent: Arc<AtomicU64>,
}

#[async_trait]
impl Transport for Slow {
    fn check(&self, url: &str) -> Result<(), InvalidInput> {
        self.inner.check(url)
    }

    async fn send(&self, request: Request) -> Result<Response, SendFailure> {
        let sent = self.sent.fetch_add(1, Ordering::Relaxed);
        let millis = match sent % 13 {
            12 => 900 + sent * 20,
            odd => 3 + odd * 11 + sent / 4,
        };
        self.clock.advance(Duration::from_millis(millis));
        let mut reply = self.inner.send(request).await;
        match &mut reply {
            Ok(response) => response.timing = Some(timing(sent, millis)),
            Err(failure) => failure.timing = Some(Timing::new(ConnectionUse::New).with(Part::Lookup, FOUND)),
        }
        reply
    }
}

/// How long a name server of the gallery takes.
const FOUND: Duration = Duration::from_micros(2_400);

/// Of an answer after `millis`: each third comes over a new connection.
fn timing(sent: u64, millis: u64) -> Timing {
    let of = |hundredths: u64| Duration::from_micros(millis * 10 * hundredths);
    if !sent.is_multiple_of(3) {
        return Timing::new(ConnectionUse::Reused).with_tls(TlsVersion::V1_3).with(Part::FirstByte, of(94));
    }
    let parts = [(Part::Lookup, of(4)), (Part::Connect, of(12)), (Part::Handshake, of(24)), (Part::FirstByte, of(52))];
    let new = Timing::new(ConnectionUse::New).with_tls(TlsVersion::V1_3);
    parts.into_iter().fold(new, |timing, (part, length)| timing.with(part, length))
}

/// Three days of a busy service, in every state.
async fn many() -> Outcome<Engine> {
    let clock =
        ManualClock::at(notify_core::Timestamp::from(std::time::SystemTime::now()).saturating_sub(STEP * ROUNDS));
    let transport = ScriptedTransport::new(Reply::Status(200));
    let slow = Slow { inner: transport.clone(), clock: clock.clone(), sent: Arc::default() };
    let engine = builder(MemoryStore::new(), &transport).transport(slow).clock(clock.clone()).build()?;
    let webhooks = [
        ("billing", "https://billing.example.com/hook"),
        ("crm", "https://crm.example.com/webhooks/notify"),
        ("warehouse", "https://warehouse.example.net/in"),
        ("audit log", "https://audit.example.org/events"),
    ];
    let mut ids = Vec::new();
    for (name, url) in webhooks {
        let mut new = NewEndpoint::new(name, url);
        if name == "warehouse" {
            new.options.schedule = Some(Some("5min,20min".parse()?));
        }
        ids.push(engine.endpoints().create(new).await?.endpoint.id.clone());
    }
    let tenant = notify_core::TenantId::default();
    let mut answer = Response::new(503);
    answer.body = "upstream is being deployed, try again later\n".into();
    for round in 0..ROUNDS {
        if round % 9 == 4 {
            transport.respond(webhooks[1].1, [Reply::Response(answer.clone())]);
        }
        if round == 20 {
            transport.respond(webhooks[2].1, vec![Reply::Failure(Reason::ConnectRefused); 12]);
        }
        if round == 60 {
            transport.respond(webhooks[2].1, vec![Reply::Status(202); 30]);
        }
        if round == 68 {
            transport.respond(webhooks[0].1, vec![Reply::Response(answer.clone()); 9]);
        }
        if round == 66 {
            engine.endpoints().disable(&tenant, &ids[3], "Ana").await?;
        }
        let data = format!(
            r#"{{"user_id":"usr_{round}","status":"paused","connection_id":"con_{round}","big":9007199254740993,"exact":1.0}}"#
        );
        engine.publish_event(NewEvent::new("connection.updated", &data)?).await?;
        engine.run_once().await?;
        clock.advance(STEP);
        engine.run_once().await?;
    }
    engine.endpoints().stage_secret(&tenant, &ids[1]).await?;
    // To a tenant without webhooks, and so to nobody.
    engine.publish_event(NewEvent::new("connection.created", "{}")?.for_tenant("acme".parse()?)).await?;
    Ok(engine)
}

/// Names, URLs and answers as long as they may be, and as hostile.
async fn long() -> Outcome<Engine> {
    let transport = ScriptedTransport::new(Reply::Status(200));
    let mut policy = notify_core::Policy::default();
    policy.schedule = RetrySchedule::new((1..=20).map(|minutes| Duration::from_secs(60 * minutes)))?;
    let engine = builder(MemoryStore::new(), &transport).policy(policy).build()?;
    let names =
        ["W".repeat(128), "<script>alert(1)</script>\" onmouseover=\"alert(2)".into(), "\u{202e}gnihtemos שלום".into()];
    for name in names {
        let url = format!("https://{}.example.com/{}", "sub".repeat(20), "path/".repeat(60));
        let mut answer = Response::new(500);
        answer.body = format!("<img src=x onerror=alert(1)>\u{1b}[31m{}", "long answer ".repeat(400)).into();
        answer.truncated = true;
        transport.respond(&url, [Reply::Response(answer)]);
        let mut new = NewEndpoint::new(name, url).events([
            "connection.created",
            "a.very.long.name_of_an_event_type.that.goes_on.*",
            "x.*",
            "y.*",
        ]);
        new.options.description = Some("What it is for, in many words. ".repeat(30));
        new.options.headers = Some(vec![("x-a-rather-long-header-name-of-the-receiver".into(), "v".into())]);
        engine.endpoints().create(new).await?;
    }
    let data = format!(
        r#"{{"connection_id":"{}","html":"</script><script>alert(3)</script>","numbers":[9007199254740993,1.0,-0.0]}}"#,
        "c".repeat(400)
    );
    engine.publish_event(NewEvent::new("connection.created", &data)?.with_id(&"e".repeat(64))?).await?;
    engine.run_once().await?;
    Ok(engine)
}
