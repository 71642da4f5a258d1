//! Pairs of what went wrong and what happened to a delivery then: a fault proves nothing for a step that was never taken
//! under it.

use crate::delivery::State;

use super::world::World;

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(super) enum $name {
            $($variant,)*
        }

        impl $name {
            pub(super) const ALL: &[Self] = &[$(Self::$variant,)*];

            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

named! {
    /// What goes wrong.
    Mishap {
        Crash = "crash",
        CrashBetweenCommands = "crash between commands",
        Pause = "pause",
        Stop = "stop",
        Outage = "outage",
        DirectoryOutage = "directory outage",
        JumpBack = "jump back",
        JumpAhead = "jump ahead",
        Drift = "drift",
        Failover = "failover",
        Prune = "prune",
        AttemptsCutOff = "attempts cut off",
        PayloadThatKills = "payload that kills",
        PublishDropped = "publish dropped",
        AnotherConfiguration = "another configuration",
        ErrorBefore = "error before the work",
        ErrorAfter = "error after the work",
        NoAnswer = "no answer in time",
    }
}

named! {
    /// What happens on a delivery's way.
    Taken {
        BornScheduled = "born scheduled",
        BornInFlight = "born in flight",
        BornHeld = "born held",
        Claimed = "scheduled to in flight",
        ClaimedAgain = "in flight to in flight",
        Rescheduled = "in flight to scheduled",
        Delivered = "in flight to delivered",
        Failed = "in flight to failed",
        CancelledInFlight = "in flight to cancelled",
        HeldInFlight = "in flight to held",
        Held = "scheduled to held",
        Cancelled = "scheduled to cancelled",
        Released = "held to scheduled",
        CancelledHeld = "held to cancelled",
        Illegal = "no legal step",
        Sent = "sent",
        SentByHand = "sent again by hand",
        Read = "endpoint read",
        Loaded = "loaded after a doubt",
        Duplicate = "published again",
        Stale = "stale change",
        AppliedAgain = "change applied again",
        CutOff = "cut off",
        Stopping = "process stops",
    }
}

impl Taken {
    /// The beginning of a delivery.
    pub(super) const fn birth(state: State) -> Self {
        match state {
            State::Scheduled => Self::BornScheduled,
            State::InFlight => Self::BornInFlight,
            State::Held => Self::BornHeld,
            State::Delivered | State::Failed | State::Cancelled => Self::Illegal,
        }
    }

    /// The step between two states.
    pub(super) const fn between(from: State, to: State) -> Self {
        use State::{Cancelled, Delivered, Failed, Held, InFlight, Scheduled};
        match (from, to) {
            (Scheduled, InFlight) => Self::Claimed,
            (InFlight, InFlight) => Self::ClaimedAgain,
            (InFlight, Scheduled) => Self::Rescheduled,
            (InFlight, Delivered) => Self::Delivered,
            (InFlight, Failed) => Self::Failed,
            (InFlight, Cancelled) => Self::CancelledInFlight,
            (InFlight, Held) => Self::HeldInFlight,
            (Scheduled, Held) => Self::Held,
            (Scheduled, Cancelled) => Self::Cancelled,
            (Held, Scheduled) => Self::Released,
            (Held, Cancelled) => Self::CancelledHeld,
            (Scheduled | Held, _) | (Delivered | Failed | Cancelled, _) => Self::Illegal,
        }
    }
}

/// How long after its end a fault still counts as there, in milliseconds.
const AFTERMATH: i64 = 60_000;

/// Which faults are in force, or were a moment ago.
#[derive(Debug)]
pub(super) struct Recent {
    until: [i64; Mishap::ALL.len()],
    /// The last of these times: mostly nothing is wrong.
    latest: i64,
}

impl Recent {
    pub(super) const fn new() -> Self {
        Self { until: [i64::MIN; Mishap::ALL.len()], latest: i64::MIN }
    }

    fn note(&mut self, mishap: Mishap, until: i64) {
        let known = &mut self.until[mishap as usize];
        *known = until.max(*known);
        self.latest = until.max(self.latest);
    }

    /// Whatever is in force ends at `now`.
    pub(super) fn end(&mut self, now: i64) {
        let last = now + AFTERMATH;
        self.until.iter_mut().for_each(|until| *until = last.min(*until));
        self.latest = last.min(self.latest);
    }
}

impl World<'_> {
    /// Something goes wrong for so many milliseconds.
    pub(super) fn mishap(&mut self, mishap: Mishap, lasts: i64) {
        self.coverage.count("fault", mishap.name());
        self.recent.note(mishap, self.now.saturating_add(lasts).saturating_add(AFTERMATH));
    }

    /// A delivery takes a step, under whatever is wrong just now.
    pub(super) fn step(&mut self, step: Taken) {
        self.coverage.step(step);
        if self.recent.latest < self.now {
            return;
        }
        for mishap in Mishap::ALL {
            if self.recent.until[*mishap as usize] >= self.now {
                self.coverage.pair(*mishap, step);
            }
        }
    }
}
