//! The secrets of one endpoint: the current one, and the others while a rotation lasts.

use std::time::Duration;

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

    /// The secret that is staged, if one is.
    #[must_use]
    pub fn staged(&self) -> Option<&StoredSecret> {
        self.of(SecretRole::Next)
    }

    /// Stages `secret`: from now on it signs beside the current one. Another one that was staged goes.
    #[must_use]
    pub fn with_staged(&self, secret: Secret, now: Timestamp) -> Self {
        let staged = StoredSecret { role: SecretRole::Next, secret, created_at: now, retires_at: None };
        self.with(now, [self.of(SecretRole::Current).cloned(), Some(staged), self.of(SecretRole::Previous).cloned()])
    }

    /// The staged secret becomes the current one, and the current one the previous, which signs for `overlap` more;
    /// with an overlap of zero it goes at once. An older previous one goes. `None` if nothing is staged.
    #[must_use]
    pub fn switched(&self, now: Timestamp, overlap: Duration) -> Option<Self> {
        let staged = self.staged()?.clone();
        let current = StoredSecret { role: SecretRole::Current, ..staged };
        Some(self.with(now, [Some(current), None, self.retiring(now, overlap)]))
    }

    /// `secret` becomes the current one at once, and the current one the previous, as in
    /// [`switched`](Self::switched). What is staged stays staged.
    #[must_use]
    pub fn rotated(&self, secret: Secret, now: Timestamp, overlap: Duration) -> Self {
        let current = StoredSecret { role: SecretRole::Current, secret, created_at: now, retires_at: None };
        self.with(now, [Some(current), self.staged().cloned(), self.retiring(now, overlap)])
    }

    /// Without the previous secret.
    #[must_use]
    pub fn without_previous(&self, now: Timestamp) -> Self {
        self.with(now, [self.of(SecretRole::Current).cloned(), self.staged().cloned(), None])
    }

    fn of(&self, role: SecretRole) -> Option<&StoredSecret> {
        self.0.iter().find(|stored| stored.role == role)
    }

    fn retiring(&self, now: Timestamp, overlap: Duration) -> Option<StoredSecret> {
        let retires_at = Some(now.saturating_add(overlap));
        self.of(SecretRole::Current).cloned().map(|old| StoredSecret { role: SecretRole::Previous, retires_at, ..old })
    }

    /// A secret whose time is over is forgotten with the next change.
    fn with(&self, now: Timestamp, secrets: [Option<StoredSecret>; 3]) -> Self {
        let mut next = Self(secrets.into_iter().flatten().collect());
        next.0.retain(|stored| stored.role == SecretRole::Current || stored.retires_at.is_none_or(|end| now < end));
        next
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

    fn texts(set: &SecretSet, now: i64) -> Vec<(SecretRole, &str)> {
        set.active(Timestamp::from_millis(now)).map(|stored| (stored.role, stored.secret.expose())).collect()
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text).unwrap()
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_rotation_in_stages_signs_with_both_until_the_old_one_retires() {
        use SecretRole::{Current, Next, Previous};
        let at = Timestamp::from_millis;
        let first = SecretSet::new(secret("a"), at(0));
        assert!(first.switched(at(1), HOUR).is_none(), "nothing is staged");
        let staged = first.with_staged(secret("b"), at(1));
        assert_eq!(texts(&staged, 1), [(Current, "a"), (Next, "b")]);
        let switched = staged.switched(at(2), HOUR).unwrap();
        assert_eq!(texts(&switched, 2), [(Current, "b"), (Previous, "a")]);
        assert_eq!(texts(&switched, 2 + 3_600_000 - 1), [(Current, "b"), (Previous, "a")]);
        assert_eq!(texts(&switched, 2 + 3_600_000), [(Current, "b")]);
        assert_eq!(texts(&switched.without_previous(at(3)), 3), [(Current, "b")]);
    }

    #[test]
    fn rotating_again_retires_the_oldest_at_once_and_never_makes_a_fourth() {
        use SecretRole::{Current, Next, Previous};
        let at = Timestamp::from_millis;
        let mut set = SecretSet::new(secret("a"), at(0)).with_staged(secret("z"), at(0));
        for (index, text) in ["b", "c", "d"].into_iter().enumerate() {
            set = set.rotated(secret(text), at(1 + i64::try_from(index).unwrap()), HOUR);
        }
        assert_eq!(texts(&set, 4), [(Current, "d"), (Next, "z"), (Previous, "c")]);
        assert!(SecretSet::restore(set.iter().cloned().collect()).is_some());
    }

    #[test]
    fn without_an_overlap_the_old_secret_goes_at_once_and_is_not_kept() {
        let at = Timestamp::from_millis;
        let set = SecretSet::new(secret("a"), at(0)).rotated(secret("b"), at(1), Duration::ZERO);
        assert_eq!(set.iter().map(|stored| stored.secret.expose()).collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn a_retired_secret_is_forgotten_with_the_next_change() {
        let at = Timestamp::from_millis;
        let set = SecretSet::new(secret("a"), at(0)).rotated(secret("b"), at(1), HOUR);
        assert_eq!(set.with_staged(secret("c"), at(4_000_000)).iter().count(), 2);
    }

    #[test]
    fn every_role_reads_back() {
        for role in [SecretRole::Current, SecretRole::Next, SecretRole::Previous] {
            assert_eq!(SecretRole::parse(role.as_str()), Some(role));
        }
        assert_eq!(SecretRole::parse("Current"), None);
    }
}
