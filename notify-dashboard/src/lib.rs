//! A dashboard for [notify](notify_core) that a host mounts in its own axum router: webhooks, and the log of every
//! event and delivery. There is no server to run, and no page needs a script.
//!
//! ```
//! use notify_core::testing::{Reply, ScriptedTransport}; // a host takes notify_http::HttpTransport
//! use notify_core::{Engine, MemoryStore};
//! use notify_dashboard::{Access, Dashboard, Scope};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let transport = ScriptedTransport::new(Reply::Status(200));
//! let engine = Engine::builder(MemoryStore::new()).transport(transport).build()?;
//! let dashboard = Dashboard::builder(&engine)
//!     .authorize(|request| async move {
//!         match request.headers.get("x-signed-in-as").and_then(|name| name.to_str().ok()) {
//!             Some(name) => Access::operator(Scope::All).named(name),
//!             None => Access::Redirect("/login".into()),
//!         }
//!     })
//!     .build()?; // without `authorize` there is no `build`
//! let app: axum::Router = dashboard.mount(axum::Router::new(), "/settings/notify");
//! # drop(app);
//! # Ok(())
//! # }
//! ```
//!
//! # Safety of pages
//! GET changes nothing. Forms are taken from the same origin only (`Sec-Fetch-Site`, else `Origin`). A strict
//! Content-Security-Policy without inline code holds on each page; what receivers and names bring is escaped by the
//! templates, and there is no way around them.
//!
//! # Features
//! - `loopback`: `allow_loopback`, the hook for development.
//! - `tracing`: each change, each refused form and each failure of the store as a tracing event.

mod access;
mod assets;
mod audit;
mod builder;
mod cookie;
mod failure;
mod fields;
mod frame;
mod gate;
mod links;
mod log;
#[cfg(feature = "loopback")]
mod loopback;
mod pages;
mod pretty;
mod visit;
mod words;
mod zone;

pub use access::{Access, Capabilities, Capability, Grant, Scope};
pub use audit::{Action, ActionOutcome, Verb};
pub use builder::{BuildError, Dashboard, DashboardBuilder, Guarded, Open};
#[cfg(feature = "loopback")]
pub use loopback::allow_loopback;
