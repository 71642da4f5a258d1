//! Light or dark, remembered in a cookie.

use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};

use crate::builder::is_local;
use crate::fields::Fields;
use crate::frame::Theme;
use crate::visit::Visit;

/// Remembers the theme, and goes back to where one was.
pub(super) async fn choose(visit: Visit, form: Fields) -> Response {
    let theme = Theme::parse(form.get("theme"));
    let here = form.get("here");
    // Below our own mount path, so it cannot lead elsewhere.
    let back = if is_local(here) { visit.links.asset(here) } else { visit.links.to("/") };
    ([(SET_COOKIE, theme.cookie(visit.links.root()))], Redirect::to(&back)).into_response()
}
