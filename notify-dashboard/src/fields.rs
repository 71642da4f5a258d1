//! Names and values, of a query or of a form.

use axum::extract::{Form, FromRequest, Query, Request};
use axum::http::Uri;

use crate::failure::Failure;

/// Names and values in their order; a name may come more than once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The query's; none if it cannot be read.
    pub(crate) fn of_query(uri: &Uri) -> Self {
        Query::<Vec<(String, String)>>::try_from_uri(uri).map(|Query(pairs)| Self(pairs)).unwrap_or_default()
    }

    /// The first value of `name`, without blanks at its ends; empty if there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// The first value of `name` as it was sent.
    pub(crate) fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Every value of `name`.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        // A button without fields sends no body, and then no content type either.
        if !request.headers().contains_key("content-type") {
            return Ok(Self::default());
        }
        let Form(pairs) = Form::from_request(request, state).await.map_err(|_| Failure::unreadable_form())?;
        Ok(Self(pairs))
    }
}
