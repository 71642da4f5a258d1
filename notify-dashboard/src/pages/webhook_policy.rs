//! Where a webhook departs from the service's policy: as text in a form, and as what the engine takes.

use std::time::Duration;

use notify_core::endpoint::PolicyOverrides;
use notify_core::retry::{Jitter, RetryAfterRule};
use notify_core::{EndpointPatch, InvalidInput, Policy, RetrySchedule, SuccessRule};

use crate::fields::Fields;

/// The fields as they stand in the form; an empty one = as the service.
#[derive(Clone, Debug, Default)]
pub(super) struct PolicyFields {
    pub(super) success: String,
    pub(super) schedule: String,
    pub(super) timeout: String,
    pub(super) jitter: String,
    pub(super) retry_after: String,
}

impl PolicyFields {
    /// What the form shows of these.
    pub(super) fn of(own: &PolicyOverrides) -> Self {
        Self {
            success: own.success.map(SuccessRule::as_str).unwrap_or_default().to_owned(),
            schedule: own.schedule.as_ref().map(ToString::to_string).unwrap_or_default(),
            timeout: own.timeout.map(in_units).unwrap_or_default(),
            jitter: own.jitter.map(|jitter| jitter.as_percent().to_string()).unwrap_or_default(),
            retry_after: own.retry_after.map(heeded).unwrap_or_default(),
        }
    }

    /// What the form would show if all of the service's policy were the webhook's own.
    pub(super) fn of_service(policy: &Policy) -> Self {
        Self {
            success: policy.success.as_str().to_owned(),
            schedule: policy.schedule.to_string(),
            timeout: in_units(policy.timeout),
            jitter: policy.jitter.as_percent().to_string(),
            retry_after: heeded(policy.retry_after),
        }
    }

    /// What was typed.
    pub(super) fn typed(form: &Fields) -> Self {
        let text = |name: &str| form.get(name).to_owned();
        Self {
            success: text("success"),
            schedule: text("schedule"),
            timeout: text("timeout"),
            jitter: text("jitter"),
            retry_after: text("retry_after"),
        }
    }

    /// Its own schedule; `None` = the service's.
    ///
    /// # Errors
    /// The text is no schedule.
    pub(super) fn schedule(&self) -> Result<Option<RetrySchedule>, InvalidInput> {
        given(&self.schedule, |text| {
            text.parse().map_err(|error| {
                InvalidInput::new("schedule", "NTF-SCHEDULE", format!("is refused: {error}"))
                    .with_help("Separate the waits by commas, like 5min,30min,2h; none = one attempt and no retry.")
            })
        })
    }

    /// Writes all five into `patch`.
    ///
    /// # Errors
    /// The first text that cannot be read, by its field's name.
    pub(super) fn write_to(&self, patch: &mut EndpointPatch) -> Result<(), InvalidInput> {
        let success = given(&self.success, |text| {
            SuccessRule::parse(text).ok_or_else(|| InvalidInput::new("success", "NTF-SUCCESS", "is 200 or 2xx"))
        })?;
        let timeout = given(&self.timeout, |text| {
            one_delay(text).ok_or_else(|| {
                InvalidInput::new(
                    "timeout",
                    "NTF-TIMEOUT",
                    "is no time: write a whole number and ms, s or min, like 20s",
                )
            })
        })?;
        let jitter = given(&self.jitter, |text| {
            let percent = text.parse().ok().and_then(Jitter::percent);
            percent.ok_or_else(|| InvalidInput::new("jitter", "NTF-JITTER", "is a whole number of percent, 0 to 100"))
        })?;
        let retry_after = given(&self.retry_after, |text| match text {
            "none" => Ok(RetryAfterRule::Ignore),
            _ => one_delay(text).map(RetryAfterRule::UpTo).ok_or_else(|| {
                let why = "is no time: write a whole number and s, min, h or d, like 1h, or none";
                InvalidInput::new("retry_after", "NTF-RETRY-AFTER", why)
            }),
        })?;
        patch.schedule = Some(self.schedule()?);
        patch.success = Some(success);
        patch.timeout = Some(timeout);
        patch.jitter = Some(jitter);
        patch.retry_after = Some(retry_after);
        Ok(())
    }
}

fn given<T>(text: &str, read: impl FnOnce(&str) -> Result<T, InvalidInput>) -> Result<Option<T>, InvalidInput> {
    if text.is_empty() { Ok(None) } else { read(text).map(Some) }
}

/// A time as one step of a schedule is written.
fn one_delay(text: &str) -> Option<Duration> {
    let schedule: RetrySchedule = text.parse().ok()?;
    let [delay] = schedule.delays() else { return None };
    Some(*delay)
}

fn in_units(time: Duration) -> String {
    // Beyond what a schedule can hold no field of a policy goes either.
    RetrySchedule::new([time]).map(|schedule| schedule.to_string()).unwrap_or_default()
}

fn heeded(rule: RetryAfterRule) -> String {
    match rule {
        RetryAfterRule::Ignore => "none".into(),
        RetryAfterRule::UpTo(most) => in_units(most),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_form_shows_of_a_policy_reads_back_as_the_same() {
        for rule in [RetryAfterRule::Ignore, RetryAfterRule::UpTo(Duration::from_secs(5_400))] {
            let own = PolicyOverrides {
                schedule: Some("1s,90min,1d".parse().unwrap()),
                success: Some(SuccessRule::Exactly200),
                timeout: Some(Duration::from_millis(1_500)),
                jitter: Jitter::percent(20),
                retry_after: Some(rule),
            };
            let mut patch = EndpointPatch::default();
            PolicyFields::of(&own).write_to(&mut patch).unwrap();
            let read = PolicyOverrides {
                schedule: patch.schedule.unwrap(),
                success: patch.success.unwrap(),
                timeout: patch.timeout.unwrap(),
                jitter: patch.jitter.unwrap(),
                retry_after: patch.retry_after.unwrap(),
            };
            assert_eq!(read, own);
        }
    }

    #[test]
    fn an_empty_field_is_as_the_service() {
        let mut patch = EndpointPatch::default();
        PolicyFields::default().write_to(&mut patch).unwrap();
        assert_eq!((patch.schedule, patch.success, patch.timeout), (Some(None), Some(None), Some(None)));
        assert_eq!((patch.jitter, patch.retry_after), (Some(None), Some(None)));
    }
}
