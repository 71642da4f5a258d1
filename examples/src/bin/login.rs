//! Shows the dashboard behind a login with two roles: `ana` may do everything, `vic` may only look.
//!
//! Leaves out what a real login has: accounts, passwords that are hashed, sessions that end, limits on guesses, TLS.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Form, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Router, http::StatusCode};
use notify_core::{ConnectionCreated, ConnectionUpdated, Engine, MemoryStore};
use notify_dashboard::{Access, Dashboard, Scope};
use notify_http::HttpTransport;

/// Session tokens, and who is behind them.
type Sessions = Arc<Mutex<BTreeMap<String, &'static str>>>;

#[derive(serde::Deserialize)]
struct Credentials {
    name: String,
    password: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).map_or(Ok(3000), |port| port.parse::<u16>())?;
    let engine = Engine::builder(MemoryStore::new())
        .transport(HttpTransport::new()?)
        .event_type::<ConnectionCreated>()
        .event_type::<ConnectionUpdated>()
        .build()?;

    let sessions = Sessions::default();
    let known = Arc::clone(&sessions);
    let dashboard = Dashboard::builder(&engine)
        .authorize(move |request| std::future::ready(access(&request, &known)))
        .on_action(|action| eprintln!("{} {} by {}: {:?}", action.verb, action.target, action.by, action.outcome))
        .build()?;

    let own = Router::new().route("/login", get(form).post(sign_in)).with_state(sessions);
    let app = dashboard.mount(own, "/settings/notify");
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on http://{}/settings/notify   (ana / ana-demo, vic / vic-demo)", listener.local_addr()?);
    let stopped = async { drop(tokio::signal::ctrl_c().await) };
    let sending = engine.run(stopped);
    tokio::select! {
        report = sending => drop(report?),
        served = axum::serve(listener, app) => served?,
    }
    Ok(())
}

/// What the dashboard asks about each request.
fn access(request: &Parts, sessions: &Sessions) -> Access {
    let cookies = request.headers.get(COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = cookies.split(';').find_map(|pair| pair.trim().strip_prefix("session="));
    let sessions = sessions.lock().unwrap_or_else(PoisonError::into_inner);
    match token.and_then(|token| sessions.get(token)) {
        // A host with tenants gives `Scope::Tenant(..)` of whoever is signed in.
        Some(name @ &"ana") => Access::admin(Scope::All).named(*name),
        Some(name) => Access::viewer(Scope::All).named(*name),
        None => Access::Redirect("/login".into()),
    }
}

async fn form() -> Html<&'static str> {
    Html(
        "<!doctype html><html lang=en><title>Sign in</title><h1>Sign in</h1><form method=post><label>Name <input \
         name=name></label> <label>Password <input name=password type=password></label> <button>Sign in</button></form>",
    )
}

async fn sign_in(State(sessions): State<Sessions>, Form(given): Form<Credentials>) -> Response {
    let users = [("ana", "ana-demo"), ("vic", "vic-demo")];
    let user = users.into_iter().find(|(name, password)| given.name == *name && given.password == *password);
    let Some((name, _)) = user else { return (StatusCode::UNAUTHORIZED, "wrong name or password").into_response() };
    let mut drawn = [0; 32];
    if getrandom::fill(&mut drawn).is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let token: String = drawn.iter().map(|byte| format!("{byte:02x}")).collect();
    sessions.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone(), name);
    // Lax: the cookie comes along when somebody follows a link to the dashboard, and never with a form from elsewhere.
    let cookie = format!("session={token}; Path=/; HttpOnly; SameSite=Lax");
    ([(SET_COOKIE, cookie)], Redirect::to("/settings/notify")).into_response()
}
