//! The refusal of one field of what a host handed in.

use std::borrow::Cow;
use std::fmt;

/// A value refused at the door: which field, why, and what to do. Nothing was stored.
///
/// `{error}` is one line; `{error:#}` adds the help.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidInput {
    field: &'static str,
    code: &'static str,
    why: Cow<'static, str>,
    help: Option<&'static str>,
}

impl InvalidInput {
    /// A refusal of `field`. `why` goes on after the field's name; it must hold no secret and no payload.
    #[must_use]
    pub fn new(field: &'static str, code: &'static str, why: impl Into<Cow<'static, str>>) -> Self {
        Self { field, code, why: why.into(), help: None }
    }

    /// The same with the way out.
    #[must_use]
    pub const fn with_help(mut self, help: &'static str) -> Self {
        self.help = Some(help);
        self
    }

    /// The field's name, as in the JSON API.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.field
    }

    /// A stable name of the problem, such as `NTF-URL-SCHEME`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// What to do about it, where there is more to say.
    #[must_use]
    pub const fn help(&self) -> Option<&'static str> {
        self.help
    }
}

impl fmt::Display for InvalidInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.field, self.why, self.code)?;
        match self.help {
            Some(help) if f.alternate() => write!(f, "\n  help: {help}"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for InvalidInput {}
