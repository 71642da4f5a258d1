//! The dashboard over the demo's engine, for this computer alone.

use std::error::Error;
use std::net::SocketAddr;

use axum::Router;
use notify_core::Engine;
use notify_dashboard::{Dashboard, allow_loopback};

use super::receiver;

/// Serves it for as long as the process lives, and tells its address.
pub(super) async fn serve(engine: &Engine) -> Result<String, Box<dyn Error>> {
    let listener = receiver::bind("the dashboard", 3000).await?;
    let address = format!("http://{}/notify/", listener.local_addr()?);
    // Fine for a demo. A service lets in whom its own login knows: see `login`.
    let dashboard = Dashboard::builder(engine).authorize(allow_loopback()).build()?;
    let app = dashboard.mount(Router::new(), "/notify").into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}
