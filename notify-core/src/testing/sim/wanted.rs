//! What must happen in a long run, or the generator is blind to it.

use crate::delivery::State;

/// A step between two states, named.
pub(super) const fn step(from: State, to: State) -> &'static str {
    use State::{Cancelled, Delivered, Failed, Held, InFlight, Scheduled};
    match (from, to) {
        (Scheduled, InFlight) => "scheduled to in flight",
        (InFlight, InFlight) => "in flight to in flight",
        (InFlight, Scheduled) => "in flight to scheduled",
        (InFlight, Delivered) => "in flight to delivered",
        (InFlight, Failed) => "in flight to failed",
        (InFlight, Cancelled) => "in flight to cancelled",
        (InFlight, Held) => "in flight to held",
        (Scheduled, Held) => "scheduled to held",
        (Scheduled, Cancelled) => "scheduled to cancelled",
        (Held, Scheduled) => "held to scheduled",
        (Held, Cancelled) => "held to cancelled",
        (Scheduled | Held, _) | (Delivered | Failed | Cancelled, _) => "no legal step",
    }
}

const CALLS: &[&str] = &["claim", "read", "apply", "load", "insert"];

pub(super) const WANTED: &[(&str, &[&str])] = &[
    (
        "fault",
        &[
            "crash",
            "crash between commands",
            "pause",
            "stop",
            "outage",
            "directory outage",
            "jump back",
            "jump ahead",
            "failover",
            "prune",
            "attempts cut off",
            "payload that kills",
            "publish dropped",
            "call in an outage",
            "stale change",
            "change applied again",
        ],
    ),
    ("error before the work", CALLS),
    ("error after the work", CALLS),
    ("no answer in time", CALLS),
    (
        "step",
        &[
            "scheduled to in flight",
            "in flight to in flight",
            "in flight to scheduled",
            "in flight to delivered",
            "in flight to failed",
            "in flight to cancelled",
            "in flight to held",
            "scheduled to held",
            "scheduled to cancelled",
            "held to scheduled",
            "held to cancelled",
        ],
    ),
    (
        "operator",
        &[
            "create",
            "edit",
            "disable",
            "enable and resume",
            "enable and cancel",
            "delete",
            "rotate",
            "resend",
            "cancel",
            "refused by hand",
            "repeated",
            "looked again",
            "outdone",
        ],
    ),
    (
        "receiver",
        &[
            "good",
            "flaky",
            "refuses",
            "unknown",
            "hangs",
            "slow",
            "status",
            "cut body",
            "resets",
            "panics",
            "deaf",
            "echoes",
            "another 2xx accepted",
        ],
    ),
    ("born", &["scheduled", "in_flight", "held"]),
    ("publish", &["handed over", "duplicate", "conflict"]),
];
