//! The host's life: build, serve, stop.

use std::io::Write as _;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use notify_core::engine::EngineBuilder;
use notify_core::observe::TracingObserver;
use notify_core::{Engine, MemoryStore, Policy, StopReport};
use notify_dashboard::{Dashboard, allow_loopback};
use notify_http::HttpTransport;
use notify_store_redis::RedisStore;
use notify_store_sqlite::SqliteStore;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

use super::api;
use super::options::{DashboardChoice, LogFormat, Options, StoreChoice};

/// A client that keeps a request open must not keep the process alive once the engine has stopped.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Serves until SIGTERM or Ctrl-C, then stops gracefully.
///
/// # Errors
/// One line that says why it could not start: an option that cannot be used, a store that cannot be opened, a port
/// that is taken.
pub async fn serve(options: Options) -> Result<(), String> {
    start_logs(options.log);
    let engine = build(&options).await?;
    let listener = TcpListener::bind(options.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", options.listen))?;
    let address = listener.local_addr().map_err(|error| format!("cannot tell where it listens: {error}"))?;

    // Installed before anybody is told that we are ready, so that no signal finds the default, which kills.
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| format!("cannot catch SIGTERM: {error}"))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| format!("cannot catch SIGINT: {error}"))?;
    let (stop, stopping) = watch::channel(());
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        drop(stop);
    });

    let mut running = pin!(engine.run(stopped(stopping.clone())));
    // Polled once before anybody is told that we are ready: `/health` must not say that the engine does not run.
    tokio::select! {
        biased;
        ended = &mut running => return ended.map(|_| ()).map_err(|error| error.to_string()),
        () = std::future::ready(()) => {}
    }
    let app = router(&engine, options.dashboard)?.into_make_service_with_connect_info::<SocketAddr>();
    let http = axum::serve(listener, app).with_graceful_shutdown(stopped(stopping));
    let http = tokio::spawn(async move { http.await });
    // Nobody may read our output: that is no reason to stop.
    let _ = writeln!(std::io::stdout(), "listening on http://{address}");

    let report = running.await.map_err(|error| error.to_string())?;
    let _ = tokio::time::timeout(LAST_ANSWERS, http).await;
    eprintln!("{}", in_words(&report));
    Ok(())
}

/// The API, and beside it the dashboard if it is wanted.
fn router(engine: &Engine, dashboard: DashboardChoice) -> Result<Router, String> {
    let api = api::router(engine.clone());
    match dashboard {
        DashboardChoice::Off => Ok(api),
        DashboardChoice::Loopback => {
            let dashboard = Dashboard::builder(engine).authorize(allow_loopback()).build();
            Ok(dashboard.map_err(|error| error.to_string())?.mount(api, "/notify"))
        }
    }
}

async fn build(options: &Options) -> Result<Engine, String> {
    let mut policy = Policy::default();
    if let Some(schedule) = &options.schedule {
        policy.schedule = schedule.clone();
    }
    if let Some(timeout) = options.timeout {
        policy.timeout = timeout;
    }
    let mut builder = open_store(&options.store).await?.transport(transport(options)?).policy(policy);
    if let Some(attempts) = options.max_in_flight {
        builder = builder.max_in_flight(attempts);
    }
    if let Some(attempts) = options.per_endpoint {
        builder = builder.per_endpoint(attempts);
    }
    builder.observer(TracingObserver).build().map_err(|error| error.problems().join("; "))
}

async fn open_store(choice: &StoreChoice) -> Result<EngineBuilder, String> {
    match choice {
        StoreChoice::Memory => Ok(Engine::builder(MemoryStore::new())),
        StoreChoice::Sqlite(path) => {
            let store = SqliteStore::open(path).await.map_err(|error| with_causes(&error))?;
            if let Some(warning) = store.library_warning() {
                eprintln!("host: {warning}");
            }
            Ok(Engine::builder(store))
        }
        StoreChoice::Redis(url) => {
            // For TLS: which provider is the host's choice. One that is there already stays.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let store = RedisStore::connect(url.as_str()).await.map_err(|error| with_causes(&error))?;
            for warning in store.warnings() {
                eprintln!("host: {warning}");
            }
            Ok(Engine::builder(store))
        }
    }
}

fn transport(options: &Options) -> Result<HttpTransport, String> {
    let mut builder = HttpTransport::builder();
    for range in &options.allow {
        builder = builder.allow_cidr(range);
    }
    for file in &options.extra_roots {
        let pem = std::fs::read(file).map_err(|error| format!("--extra-root {}: {error}", file.display()))?;
        builder = builder.extra_root_pem(pem);
    }
    builder.build().map_err(|error| with_causes(&error))
}

fn start_logs(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    match format {
        LogFormat::Text => logs.init(),
        LogFormat::Json => logs.json().init(),
    }
}

/// Completes once a signal has come.
async fn stopped(mut stopping: watch::Receiver<()>) {
    // Nothing is ever sent: the sender's end is the signal.
    while stopping.changed().await.is_ok() {}
}

fn in_words(report: &StopReport) -> String {
    let StopReport { finished, handed_back, interrupted, unsettled, .. } = report;
    format!("stopped: {finished} finished, {handed_back} handed back, {interrupted} interrupted, {unsettled} unsettled")
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text.replace('\n', " ")
}
