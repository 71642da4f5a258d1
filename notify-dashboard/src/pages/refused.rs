//! The pages that say no.

use askama::Template;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::builder::is_local;
use crate::failure::Failure;
use crate::frame::Frame;
use crate::links::Links;
use crate::visit::Visit;

#[derive(Template)]
#[template(path = "refused.html")]
struct Refused<'a> {
    frame: Frame,
    failure: &'a Failure,
    again: Option<String>,
}

/// For somebody who was not let in: without navigation.
pub(crate) fn failure(links: &Links, failure: &Failure) -> Response {
    page(Frame::bare(links, failure.title.clone()), failure, None)
}

/// For a visitor.
pub(crate) fn failure_for(visit: &Visit, failure: &Failure) -> Response {
    let passing = failure.status == StatusCode::SERVICE_UNAVAILABLE;
    let again = (passing && visit.reads && is_local(&visit.here)).then(|| visit.links.asset(&visit.here));
    page(Frame::new(visit, None, failure.title.clone()), failure, again)
}

fn page(frame: Frame, failure: &Failure, again: Option<String>) -> Response {
    // Without a page the text alone says it.
    let html = Refused { frame, failure, again }.render();
    let mut response = match html {
        Ok(html) => (failure.status, [(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response(),
        Err(_) => (failure.status, failure.text.clone()).into_response(),
    };
    come_again(&mut response);
    response
}

/// Says when to ask again, where it is worth while.
pub(super) fn come_again(response: &mut Response) {
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
}
