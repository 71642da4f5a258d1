//! Reading a request's query string: like a body, strictly.

use std::collections::BTreeMap;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use notify_core::TenantId;
use notify_core::store::PageRequest;

use super::error::ApiError;

/// The query's parameters, each at most once.
#[derive(Debug)]
pub(super) struct Params(BTreeMap<String, String>);

impl Params {
    /// Takes the parameter.
    pub(super) fn take<T: FromStr>(&mut self, name: &'static str) -> Result<Option<T>, ApiError>
    where
        T::Err: std::fmt::Display,
    {
        self.take_with(name, |text| text.parse().map_err(|error: T::Err| error.to_string()))
    }

    /// Takes the parameter, read by `read`.
    pub(super) fn take_with<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ApiError> {
        let Some(text) = self.0.remove(name) else { return Ok(None) };
        let value = read(&text).map_err(|why| ApiError::unreadable("query", format!("{name}: {why}")).at(name))?;
        Ok(Some(value))
    }

    /// Takes the parameter, one word of a closed list.
    pub(super) fn take_word<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        self.take_with(name, |text| parse(text).ok_or_else(|| format!("no such {name}")))
    }

    /// Takes `tenant`; absent means the default one.
    pub(super) fn tenant(&mut self) -> Result<TenantId, ApiError> {
        Ok(self.take("tenant")?.unwrap_or_default())
    }

    /// Takes `cursor` and `limit`.
    pub(super) fn page(&mut self) -> Result<PageRequest, ApiError> {
        let after = self.take("cursor")?;
        let limit = self.take_with("limit", |text| match text.parse() {
            Ok(limit @ 1..=100) => Ok(limit),
            _ => Err("is 1 to 100".into()),
        })?;
        Ok(PageRequest { after, limit: limit.unwrap_or(PageRequest::default().limit) })
    }

    /// Refuses what nobody took: a misspelt filter must not list everything.
    pub(super) fn finish(self) -> Result<(), ApiError> {
        match self.0.into_keys().next() {
            None => Ok(()),
            Some(unknown) => {
                let shown: String = unknown.chars().filter(|c| !c.is_control()).take(64).collect();
                Err(ApiError::unreadable("query", format!("unknown parameter {shown:?}")).at(shown))
            }
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Query(pairs) = Query::<Vec<(String, String)>>::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::unreadable("query", "the query string cannot be read"))?;
        let mut params = BTreeMap::new();
        for (name, value) in pairs {
            if params.insert(name, value).is_some() {
                return Err(ApiError::unreadable("query", "the query string names one parameter twice"));
            }
        }
        Ok(Self(params))
    }
}

/// Who calls, where that is all a query may say.
#[derive(Debug)]
pub(super) struct Tenant(pub(super) TenantId);

impl<S: Send + Sync> FromRequestParts<S> for Tenant {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let mut params = Params::from_request_parts(parts, state).await?;
        let tenant = params.tenant()?;
        params.finish()?;
        Ok(Self(tenant))
    }
}
