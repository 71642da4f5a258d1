//! Ids and counters that are numbers.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! counter {
    ($(#[$doc:meta])* $name:ident, $inner:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name($inner);

        impl $name {
            /// The first one.
            pub const FIRST: Self = Self(1);

            /// The one with this number.
            #[must_use]
            pub const fn new(number: $inner) -> Self {
                Self(number)
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> $inner {
                self.0
            }

            /// The next one; stays at the greatest.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

counter! {
    /// Counts the writes to one delivery: each change expects the version it saw and makes the next.
    Version, u64
}
counter! {
    /// Which attempt of a delivery, counted from 1 over all rounds.
    AttemptNumber, u32
}
counter! {
    /// Which round of a delivery, counted from 1: each resend by hand starts the next, with a fresh budget.
    Round, u32
}

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(u128);

        impl $name {
            /// The one with this value, drawn by the driver.
            #[must_use]
            pub const fn new(value: u128) -> Self {
                Self(value)
            }

            /// The value.
            #[must_use]
            pub const fn get(self) -> u128 {
                self.0
            }

            /// The value's bytes, most significant first, as stores keep it.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.to_be_bytes()
            }

            /// Reads what [`to_bytes`](Self::to_bytes) wrote.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(u128::from_be_bytes(bytes))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:032x})"), self.0)
            }
        }
    };
}

random_id! {
    /// Fences one claim: whoever holds a lease proves it with the claim's token. Random, since a bare counter
    /// would repeat after a failover that lost the claim.
    ClaimToken
}
random_id! {
    /// Names one change, so that a change whose answer was lost may be sent again.
    ChangeId
}
