//! `{"error":{"code","field?","message","help?"}}`: what could not be read is a 400, a refused value a 422.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use notify_core::InvalidInput;
use notify_core::engine::{ControlError, PublishError};
use notify_core::store::StoreError;
use serde::Serialize;

/// How long a client should wait before it tries a busy store again.
const RETRY_AFTER_SECONDS: &str = "1";

/// An answer that is no success.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    code: &'static str,
    field: Option<String>,
    message: String,
    help: Option<String>,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, field: None, message: message.into(), help: None }
    }

    /// What came cannot be read.
    pub(super) fn unreadable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// A value that can be read and is refused.
    pub(super) fn refused(field: &str, code: &'static str, why: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, format!("{field} {why}")).at(field)
    }

    pub(super) fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The same, of one event of a batch.
    pub(super) fn of_event(mut self, index: usize) -> Self {
        self.field = Some(self.field.map_or_else(|| format!("[{index}]"), |field| format!("[{index}].{field}")));
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            error: Inner,
        }
        #[derive(Serialize)]
        struct Inner {
            code: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            field: Option<String>,
            message: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            help: Option<String>,
        }
        let Self { status, code, field, message, help } = self;
        let mut response = (status, Json(Body { error: Inner { code, field, message, help } })).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
        }
        response
    }
}

impl From<InvalidInput> for ApiError {
    fn from(invalid: InvalidInput) -> Self {
        let mut error = Self::new(StatusCode::UNPROCESSABLE_ENTITY, invalid.code(), invalid.to_string());
        error.help = invalid.help().map(str::to_owned);
        error.at(invalid.field())
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let (status, code) = match &error {
            StoreError::Busy { .. } => (StatusCode::SERVICE_UNAVAILABLE, "NTF-STORE-BUSY"),
            StoreError::Unavailable { .. } => (StatusCode::SERVICE_UNAVAILABLE, "NTF-STORE-UNAVAILABLE"),
            StoreError::Full { .. } => (StatusCode::SERVICE_UNAVAILABLE, "NTF-STORE-FULL"),
            StoreError::Corrupt { .. } => (StatusCode::INTERNAL_SERVER_ERROR, "NTF-STORE-CORRUPT"),
            StoreError::UnknownEvent => (StatusCode::NOT_FOUND, "NTF-EVENT-MISSING"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "NTF-STORE"),
        };
        Self::new(status, code, error.to_string())
    }
}

impl From<ControlError> for ApiError {
    fn from(error: ControlError) -> Self {
        let (status, code) = match error {
            ControlError::Invalid(invalid) => return invalid.into(),
            ControlError::Store(error) => return error.into(),
            ControlError::Publish(error) => return error.into(),
            ControlError::NotFound => (StatusCode::NOT_FOUND, "NTF-ENDPOINT-MISSING"),
            ControlError::NoSuchDelivery => (StatusCode::NOT_FOUND, "NTF-DELIVERY-MISSING"),
            ControlError::Refused(_) => (StatusCode::CONFLICT, "NTF-DELIVERY-REFUSED"),
            ControlError::EndpointDisabled => (StatusCode::CONFLICT, "NTF-ENDPOINT-DISABLED"),
            ControlError::NothingStaged => (StatusCode::CONFLICT, "NTF-SECRET-NOT-STAGED"),
            ControlError::Contended => (StatusCode::SERVICE_UNAVAILABLE, "NTF-CONTENDED"),
            ControlError::Entropy(_) => (StatusCode::SERVICE_UNAVAILABLE, "NTF-ENTROPY"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "NTF-ENDPOINT"),
        };
        Self::new(status, code, error.to_string())
    }
}

impl From<PublishError> for ApiError {
    fn from(error: PublishError) -> Self {
        let help = error.help();
        let message = error.to_string();
        let mut error = match error {
            PublishError::Invalid(invalid) => invalid.into(),
            PublishError::Store(error) => error.into(),
            PublishError::TooLarge { .. } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "NTF-PAYLOAD-SIZE", message).at("data")
            }
            PublishError::UnknownType { .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "NTF-EVENT-UNKNOWN", message).at("event")
            }
            PublishError::Conflict { .. } => Self::new(StatusCode::CONFLICT, "NTF-EVENT-CONFLICT", message),
            _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "NTF-PUBLISH", message),
        };
        error.help = help;
        error
    }
}

#[cfg(test)]
mod tests {
    use notify_core::store::Operation;

    use super::*;

    #[test]
    fn a_store_that_cannot_take_it_now_is_a_503_that_says_when_to_come_back() {
        for error in [
            StoreError::Busy { operation: Operation::Insert },
            StoreError::Full { operation: Operation::Insert },
            StoreError::unavailable(Operation::Insert, "no answer"),
        ] {
            let response = ApiError::from(PublishError::Store(error)).into_response();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        }
    }
}
