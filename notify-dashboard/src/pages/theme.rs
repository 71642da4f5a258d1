//! How pages look: light or dark, and by which clock. Remembered in cookies.

use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};

use crate::builder::is_local;
use crate::fields::Fields;
use crate::frame::Theme;
use crate::visit::Visit;
use crate::zone::Zone;

/// `POST /theme`: remembers the theme, and goes back to where one was.
pub(super) async fn choose(visit: Visit, form: Fields) -> Response {
    let theme = Theme::parse(form.get("theme"));
    back(&visit, &form, theme.cookie(visit.links.root()))
}

/// `POST /zone`: the same for the clock.
pub(super) async fn choose_zone(visit: Visit, form: Fields) -> Response {
    let zone = Zone::parse(form.get("zone"));
    back(&visit, &form, zone.cookie(visit.links.root()))
}

fn back(visit: &Visit, form: &Fields, cookie: String) -> Response {
    let here = form.get("here");
    // Below our own mount path, so it cannot lead elsewhere.
    let back = if is_local(here) { visit.links.asset(here) } else { visit.links.to("/") };
    ([(SET_COOKIE, cookie)], Redirect::to(&back)).into_response()
}
