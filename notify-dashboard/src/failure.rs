//! What can go wrong with a page, and what the page then says.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use notify_core::engine::{ControlError, PublishError};
use notify_core::store::StoreError;

use crate::access::Capability;
use crate::{log, words};

/// A page that could not be shown, or a form that was not carried out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) help: String,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, title: &str, text: impl Into<String>) -> Self {
        Self { status, title: title.into(), text: text.into(), help: String::new() }
    }

    fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// There is no such thing, or it is another tenant's: the two look the same.
    pub(crate) fn missing(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found", format!("No {what} with this id. It may be past its retention."))
    }

    pub(crate) fn no_page() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found", "There is no page at this address.")
    }

    pub(crate) fn unreadable_form() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Form not readable", "The form did not arrive whole.")
    }

    pub(crate) fn forbidden(capability: Capability) -> Self {
        let text = format!("You may not {}.", capability.as_words());
        Self::new(StatusCode::FORBIDDEN, "Not allowed", text)
            .with_help(format!("Whoever runs this service can give you the capability {capability:?}."))
    }

    pub(crate) fn denied() -> Self {
        Self::new(StatusCode::FORBIDDEN, "Access denied", "This dashboard is not open to you.").with_help(
            "For the host: its authorize hook denied this request. allow_loopback() lets in this computer alone, \
             by a local name such as 127.0.0.1 or localhost, with no proxy between, and needs the peer's address \
             (into_make_service_with_connect_info).",
        )
    }

    /// Says where the form came from and where it arrived: the cause is nearly always a proxy.
    pub(crate) fn cross_site(origin: &str, host: &str, site: &str) -> Self {
        let from = if origin.is_empty() { "an unknown site" } else { origin };
        let text = if site.is_empty() {
            format!("This form was sent from {from} but reached us as host {host}.")
        } else {
            format!("This form was sent from {from} ({site}) and reached us as host {host}.")
        };
        let help = if origin == "null" || origin.is_empty() {
            "Nothing was changed. Open the dashboard itself and try again there.".to_owned()
        } else {
            format!(
                "Nothing was changed. If that is this dashboard's own address, a proxy probably rewrites Host: forward \
                 Host unchanged, or build the dashboard with .trusted_origin({origin:?})."
            )
        };
        Self::new(StatusCode::FORBIDDEN, "Form refused", text).with_help(help)
    }
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::NotFound => Self::missing("webhook"),
            ControlError::NoSuchDelivery => Self::missing("delivery"),
            ControlError::Store(error) => error.into(),
            ControlError::Publish(PublishError::Store(error)) => error.into(),
            ControlError::RevealOff => {
                Self::new(StatusCode::FORBIDDEN, "Not allowed", "This service shows a secret only when it is made.")
                    .with_help("Rotate the secret to get a new one.")
            }
            refused => Self::new(StatusCode::CONFLICT, "Not done", sentence(&refused.to_string())),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let unavailable = |title| Self::new(StatusCode::SERVICE_UNAVAILABLE, title, sentence(&error.to_string()));
        let failure = match &error {
            StoreError::UnknownEvent => Self::missing("event"),
            StoreError::Busy { .. } => {
                unavailable("The store is busy").with_help("Nothing was done. Try again in a moment.")
            }
            StoreError::Full { .. } => unavailable("The store is full")
                .with_help("Nothing was done. Make room on its disk, or have old events pruned, and try again."),
            // What is wrong with it stays in the log: it may quote what is stored.
            StoreError::Corrupt { record, .. } => {
                let text = format!("What the store holds as {} cannot be read.", words::visible(record));
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "A record cannot be read", text)
                    .with_help("The service's log says what is wrong with it.")
            }
            _ => unavailable("The store does not answer").with_help(
                "Deliveries are safe where they are, and go out when it answers again. Try again in a moment; after a \
                 form, look first whether it was done.",
            ),
        };
        log::store_failed(&error);
        failure
    }
}

impl IntoResponse for Failure {
    /// The gate, which knows the visitor, makes the page of it.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// An error's one lower-case line as a sentence.
pub(crate) fn sentence(line: &str) -> String {
    let mut chars = line.chars();
    let Some(first) = chars.next() else { return String::new() };
    format!("{}{}.", first.to_uppercase(), chars.as_str().trim_end_matches('.'))
}
