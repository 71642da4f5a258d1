//! Building a dashboard. It does not build without an `authorize` hook.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::request::Parts;
use axum::routing::RouterIntoService;
use notify_core::{Engine, Event};
use tower_http::csrf::CsrfLayer;

use crate::access::{Access, Grant};
use crate::audit::Action;
use crate::gate;

/// A dashboard over one engine, ready to be mounted. A cheap handle: it may be mounted several times.
#[derive(Clone, Debug)]
pub struct Dashboard {
    shared: Arc<Shared>,
}

/// Collects what a dashboard needs. [`authorize`](Self::authorize) is required: until it was called there is no `build`.
///
/// ```compile_fail,E0599
/// # use notify_core::testing::{Reply, ScriptedTransport};
/// # use notify_core::{Engine, MemoryStore};
/// # let engine = Engine::builder(MemoryStore::new()).transport(ScriptedTransport::new(Reply::Status(200))).build().unwrap();
/// let dashboard = notify_dashboard::Dashboard::builder(&engine).build(); // nobody said who may see it
/// ```
#[derive(Debug)]
pub struct DashboardBuilder<A> {
    shared: Shared,
    trusted_origins: Vec<String>,
    frame_ancestors: String,
    authorized: PhantomData<A>,
}

/// The state of a builder on which `authorize` was not called yet.
#[derive(Debug)]
pub enum Open {}

/// The state of a builder that knows whom to let in.
#[derive(Debug)]
pub enum Guarded {}

/// What all requests share.
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) authorize: Authorize,
    pub(crate) on_action: Option<OnAction>,
    pub(crate) format_payload: Option<FormatPayload>,
    pub(crate) base_path: Option<String>,
    pub(crate) back: Option<(String, String)>,
    pub(crate) retention: Option<Duration>,
    pub(crate) csrf: CsrfLayer,
    pub(crate) csp: HeaderValue,
}

type Decision = Pin<Box<dyn Future<Output = Access> + Send>>;
type Authorize = Arc<dyn Fn(Parts) -> Decision + Send + Sync>;
type OnAction = Box<dyn Fn(&Action) + Send + Sync>;
type FormatPayload = Box<dyn Fn(&Event, &Grant) -> Option<String> + Send + Sync>;

/// The dashboard cannot be built.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A trusted origin is none.
    #[error("trusted origin {0:?} is no origin: write it as a browser does, like https://app.example.com")]
    TrustedOrigin(String),
    /// The base path is none.
    #[error("base path {0:?} is no path: begin with one slash and leave the last one out, like /settings/notify")]
    BasePath(String),
    /// The sources that may frame the dashboard cannot stand in a header.
    #[error("frame ancestors {0:?} cannot stand in a Content-Security-Policy")]
    FrameAncestors(String),
    /// The link back is neither a path nor http(s).
    #[error("back link {0:?} is neither a path nor an http(s) URL")]
    BackLink(String),
}

impl Dashboard {
    /// Starts building a dashboard over `engine`.
    #[must_use]
    pub fn builder(engine: &Engine) -> DashboardBuilder<Open> {
        DashboardBuilder {
            shared: Shared {
                engine: engine.clone(),
                authorize: Arc::new(|_| Box::pin(std::future::ready(Access::Denied))),
                on_action: None,
                format_payload: None,
                base_path: None,
                back: None,
                retention: None,
                csrf: CsrfLayer::new(),
                csp: HeaderValue::from_static(""),
            },
            trusted_origins: Vec::new(),
            frame_ancestors: "'none'".into(),
            authorized: PhantomData,
        }
    }

    /// The host's `router` with the dashboard under `path`, with and without a slash at its end.
    ///
    /// # Panics
    /// As [`Router::nest_service`]: `path` does not begin with a slash, or is taken.
    pub fn mount<S: Clone + Send + Sync + 'static>(&self, router: Router<S>, path: &str) -> Router<S> {
        let path = path.trim_end_matches('/');
        if path.is_empty() {
            return router.fallback_service(self.router());
        }
        router.nest_service(path, self.router())
    }

    /// The dashboard as a router: to nest, or to serve as it is.
    pub fn router(&self) -> Router {
        gate::router(Arc::clone(&self.shared))
    }

    /// The dashboard as a plain tower service over `http` requests, for hosts on another axum or on none. Whoever
    /// strips the mount path then sets [`base_path`](DashboardBuilder::base_path), since it cannot be seen from inside.
    #[must_use]
    pub fn into_service(self) -> RouterIntoService<Body> {
        self.router().into_service()
    }
}

impl<A> DashboardBuilder<A> {
    /// Whom to let in: called for every page and every form, with the request's head. Required.
    ///
    /// The future ends up in the request's own: it may ask a session store or a database.
    #[must_use]
    pub fn authorize<F, D>(mut self, hook: F) -> DashboardBuilder<Guarded>
    where
        F: Fn(Parts) -> D + Send + Sync + 'static,
        D: Future<Output = Access> + Send + 'static,
    {
        self.shared.authorize = Arc::new(move |parts| Box::pin(hook(parts)));
        let Self { shared, trusted_origins, frame_ancestors, .. } = self;
        DashboardBuilder { shared, trusted_origins, frame_ancestors, authorized: PhantomData }
    }

    /// The path that browsers see, where something in front strips it. Without it the dashboard reads the path from
    /// axum. A proxy keeps the path or strips it, never both.
    #[must_use]
    pub fn base_path(mut self, path: impl Into<String>) -> Self {
        self.shared.base_path = Some(path.into());
        self
    }

    /// Takes forms from this origin too, such as `https://app.example.com`: for a proxy that rewrites `Host`.
    #[must_use]
    pub fn trusted_origin(mut self, origin: impl Into<String>) -> Self {
        self.trusted_origins.push(origin.into());
        self
    }

    /// Who may show the dashboard in a frame, as `frame-ancestors` of a Content-Security-Policy writes it.
    /// Default: `'none'`.
    #[must_use]
    pub fn frame_ancestors(mut self, sources: impl Into<String>) -> Self {
        self.frame_ancestors = sources.into();
        self
    }

    /// A link back to the host's own pages, at the top: "Back to `name`".
    #[must_use]
    pub fn back_link(mut self, href: impl Into<String>, name: impl Into<String>) -> Self {
        self.shared.back = Some((href.into(), name.into()));
        self
    }

    /// How long the host keeps events, for the pages to say so. The host prunes by itself, see
    /// [`History::prune`](notify_core::engine::History::prune).
    #[must_use]
    pub const fn retention(mut self, kept: Duration) -> Self {
        self.shared.retention = Some(kept);
        self
    }

    /// Hears of every change that somebody made, or tried to make, here.
    #[must_use]
    pub fn on_action(mut self, hear: impl Fn(&Action) + Send + Sync + 'static) -> Self {
        self.shared.on_action = Some(Box::new(hear));
        self
    }

    /// Shows a payload otherwise, to hide fields: `Some` text stands in for the stored body, `None` shows it as it is.
    #[must_use]
    pub fn format_payload(mut self, format: impl Fn(&Event, &Grant) -> Option<String> + Send + Sync + 'static) -> Self {
        self.shared.format_payload = Some(Box::new(format));
        self
    }
}

impl DashboardBuilder<Guarded> {
    /// The dashboard.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub fn build(self) -> Result<Dashboard, BuildError> {
        let mut shared = self.shared;
        for origin in self.trusted_origins {
            let csrf = std::mem::take(&mut shared.csrf);
            shared.csrf = csrf.add_trusted_origin(&origin).map_err(|_| BuildError::TrustedOrigin(origin))?;
        }
        if let Some(path) = &shared.base_path
            && !path.is_empty()
            && (!is_local(path) || path.ends_with('/') || path.contains(['?', '#']))
        {
            return Err(BuildError::BasePath(path.clone()));
        }
        if let Some((href, _)) = &shared.back
            && !(is_local(href) || is_web(href))
        {
            return Err(BuildError::BackLink(href.clone()));
        }
        shared.csp = gate::content_security_policy(&self.frame_ancestors)
            .ok_or(BuildError::FrameAncestors(self.frame_ancestors))?;
        Ok(Dashboard { shared: Arc::new(shared) })
    }
}

/// A path of the same site: not `//elsewhere`, and nothing that a browser reads as such.
pub(crate) fn is_local(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains(|c: char| c == '\\' || c.is_control() || c.is_whitespace())
}

/// What a link may lead to.
pub(crate) fn is_web(url: &str) -> bool {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("http" | "https"))
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("base_path", &self.base_path)
            .field("retention", &self.retention)
            .finish_non_exhaustive()
    }
}
