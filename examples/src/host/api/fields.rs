//! Reading a request's body: a JSON object whose fields are taken one by one, so that an error names its field and
//! an unknown field is refused.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::error::ApiError;

/// The fields of one JSON object, not parsed yet: `data` stays as it was spelt.
#[derive(Debug, Default)]
pub(super) struct Fields(BTreeMap<String, Box<RawValue>>);

impl Fields {
    /// Takes the field, or refuses the request without it.
    pub(super) fn required<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<T, ApiError> {
        self.optional(name)?.ok_or_else(|| ApiError::refused(name, "required", "is required"))
    }

    /// Takes the field; absent and `null` are the same.
    pub(super) fn optional<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<Option<T>, ApiError> {
        Ok(self.nullable(name)?.flatten())
    }

    /// Takes the field; `Some(None)` is an explicit `null`.
    pub(super) fn nullable<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<Option<Option<T>>, ApiError> {
        let Some(raw) = self.0.remove(name) else { return Ok(None) };
        // The parser's own text may quote the value: only the field is told.
        let value = serde_json::from_str(raw.get())
            .map_err(|_| ApiError::refused(name, "wrong_type", "is not of the type that this field has"))?;
        Ok(Some(value))
    }

    /// Takes the field's JSON text; `null` is a value here.
    pub(super) fn raw(&mut self, name: &'static str) -> Result<Box<RawValue>, ApiError> {
        self.optional_raw(name).ok_or_else(|| ApiError::refused(name, "required", "is required"))
    }

    /// Takes the field's JSON text, if it is there; `null` is a value here.
    pub(super) fn optional_raw(&mut self, name: &'static str) -> Option<Box<RawValue>> {
        self.0.remove(name)
    }

    /// Refuses a feature that this host does not have.
    pub(super) fn without(&self, name: &'static str) -> Result<(), ApiError> {
        if self.0.contains_key(name) {
            return Err(ApiError::refused(name, "not_supported", "is not supported by this host"));
        }
        Ok(())
    }

    /// Refuses what nobody took: a misspelt field must not be a silent default.
    pub(super) fn finish(self) -> Result<(), ApiError> {
        match self.0.into_keys().next() {
            None => Ok(()),
            Some(unknown) => {
                let shown: String = unknown.chars().filter(|c| !c.is_control()).take(64).collect();
                Err(ApiError::unreadable("unknown_field", format!("unknown field {shown:?}")).at(shown))
            }
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let body = body(request, state).await?;
        if body.is_empty() {
            return Ok(Self::default());
        }
        parse(&body).map(Self)
    }
}

/// The objects of one JSON array.
#[derive(Debug)]
pub(super) struct Batch(pub(super) Vec<Fields>);

impl<S: Send + Sync> FromRequest<S> for Batch {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let objects: Vec<BTreeMap<String, Box<RawValue>>> = parse(&body(request, state).await?)?;
        Ok(Self(objects.into_iter().map(Fields).collect()))
    }
}

async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "the request's body is too large")
        }
        _ => ApiError::unreadable("body", "the request's body did not arrive whole"),
    })
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| {
        let what = if error.is_data() { "is JSON of the wrong shape" } else { "is not valid JSON" };
        let message = format!("the body {what} (line {}, column {})", error.line(), error.column());
        ApiError::unreadable("malformed_json", message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_spelling() {
        let mut fields =
            Fields(parse(br#"{"data": {"a":1.0, "b":123456789012345678901234567890,"a":-0.0} }"#).unwrap());
        assert_eq!(fields.raw("data").unwrap().get(), r#"{"a":1.0, "b":123456789012345678901234567890,"a":-0.0}"#);
        assert!(fields.finish().is_ok());
    }

    #[test]
    fn an_error_never_quotes_the_value() {
        let mut fields = Fields(parse(br#"{"secret": ["canary"]}"#).unwrap());
        let error = fields.optional::<String>("secret").unwrap_err();
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
}
