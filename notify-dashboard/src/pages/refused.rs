//! The pages that say no.

use askama::Template;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::failure::Failure;
use crate::frame::Frame;
use crate::links::Links;
use crate::visit::Visit;

#[derive(Template)]
#[template(path = "refused.html")]
struct Refused<'a> {
    frame: Frame,
    failure: &'a Failure,
}

/// For somebody who was not let in: without navigation.
pub(crate) fn failure(links: &Links, failure: &Failure) -> Response {
    page(Frame::bare(links, failure.title.clone()), failure)
}

/// For a visitor.
pub(crate) fn failure_for(visit: &Visit, failure: &Failure) -> Response {
    page(Frame::new(visit, None, failure.title.clone()), failure)
}

fn page(frame: Frame, failure: &Failure) -> Response {
    // Without a page the text alone says it.
    let html = Refused { frame, failure }.render();
    match html {
        Ok(html) => (failure.status, [(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response(),
        Err(_) => (failure.status, failure.text.clone()).into_response(),
    }
}
