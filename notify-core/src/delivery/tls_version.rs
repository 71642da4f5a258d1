//! The version of TLS that a connection speaks.

/// A version of TLS.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum TlsVersion {
    /// RFC 5246.
    V1_2,
    /// RFC 8446.
    V1_3,
}

impl TlsVersion {
    /// Its number: `1.2` or `1.3`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1_2 => "1.2",
            Self::V1_3 => "1.3",
        }
    }

    /// What stands behind the point.
    pub(super) const fn minor(self) -> u32 {
        match self {
            Self::V1_2 => 2,
            Self::V1_3 => 3,
        }
    }

    pub(super) const fn of_minor(minor: u32) -> Option<Self> {
        match minor {
            2 => Some(Self::V1_2),
            3 => Some(Self::V1_3),
            _ => None,
        }
    }
}
