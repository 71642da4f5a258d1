//! The secrets of one endpoint: the current one, and the others while a rotation lasts.

use crate::time::Timestamp;

use super::Secret;

/// What a secret is for just now.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum SecretRole {
    /// Signs `x-notify-signature`.
    Current,
    /// Staged: signs `x-notify-signature-next`.
    Next,
    /// Being retired: signs `x-notify-signature-previous`.
    Previous,
}

impl SecretRole {
    /// The word stores keep.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Next => "next",
            Self::Previous => "previous",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote; `None` for another word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Current, Self::Next, Self::Previous].into_iter().find(|role| role.as_str() == text)
    }
}

/// One secret with its role and dates.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredSecret {
    /// What it is for.
    pub role: SecretRole,
    /// The key.
    pub secret: Secret,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it signs no longer; `None` = no end.
    pub retires_at: Option<Timestamp>,
}

/// The secrets of one endpoint: exactly one current, at most three in all.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SecretSet(Vec<StoredSecret>);

impl SecretSet {
    /// A set of one.
    #[must_use]
    pub fn new(secret: Secret, created_at: Timestamp) -> Self {
        Self(vec![StoredSecret { role: SecretRole::Current, secret, created_at, retires_at: None }])
    }

    /// The set of these secrets, as a store kept them; `None` unless one is current and there are at most one
    /// of each role.
    #[must_use]
    pub fn restore(mut secrets: Vec<StoredSecret>) -> Option<Self> {
        secrets.sort_by_key(|stored| stored.role);
        let distinct = secrets.windows(2).all(|pair| pair[0].role != pair[1].role);
        let current = secrets.first().is_some_and(|stored| stored.role == SecretRole::Current);
        (distinct && current).then_some(Self(secrets))
    }

    /// The current secret.
    #[must_use]
    pub fn current(&self) -> &Secret {
        &self.0[0].secret
    }

    /// All of them, the current one first.
    pub fn iter(&self) -> impl Iterator<Item = &StoredSecret> {
        self.0.iter()
    }

    /// Those that sign at `now`, the current one first. The current one always does: an attempt without
    /// `x-notify-signature` would be worse than one with a secret that ought to have gone.
    pub fn active(&self, now: Timestamp) -> impl Iterator<Item = &StoredSecret> {
        self.0
            .iter()
            .filter(move |stored| stored.role == SecretRole::Current || stored.retires_at.is_none_or(|end| now < end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(role: SecretRole, retires_at: Option<i64>) -> StoredSecret {
        StoredSecret {
            role,
            secret: Secret::new(role.as_str()).unwrap(),
            created_at: Timestamp::EPOCH,
            retires_at: retires_at.map(Timestamp::from_millis),
        }
    }

    #[test]
    fn a_set_without_a_current_secret_or_with_two_is_refused() {
        assert!(SecretSet::restore(vec![]).is_none());
        assert!(SecretSet::restore(vec![stored(SecretRole::Next, None)]).is_none());
        assert!(
            SecretSet::restore(vec![stored(SecretRole::Current, None), stored(SecretRole::Current, None)]).is_none()
        );
    }

    #[test]
    fn the_current_secret_comes_first_and_a_retired_one_not_at_all() {
        let set = SecretSet::restore(vec![stored(SecretRole::Previous, Some(10)), stored(SecretRole::Current, None)])
            .unwrap();
        assert_eq!(set.current().expose(), "current");
        assert_eq!(set.active(Timestamp::from_millis(9)).count(), 2);
        assert_eq!(set.active(Timestamp::from_millis(10)).count(), 1);
    }

    #[test]
    fn the_current_secret_signs_even_past_an_end_that_a_store_gave_it() {
        let set = SecretSet::restore(vec![stored(SecretRole::Current, Some(10))]).unwrap();
        assert_eq!(set.active(Timestamp::from_millis(10)).count(), 1);
    }

    #[test]
    fn every_role_reads_back() {
        for role in [SecretRole::Current, SecretRole::Next, SecretRole::Previous] {
            assert_eq!(SecretRole::parse(role.as_str()), Some(role));
        }
        assert_eq!(SecretRole::parse("Current"), None);
    }
}
