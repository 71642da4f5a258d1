//! What must happen in a long run, or the generator is blind to it.

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
            "drift",
            "another configuration",
        ],
    ),
    ("error before the work", CALLS),
    ("error after the work", CALLS),
    ("no answer in time", CALLS),
    (
        "step",
        &[
            "born scheduled",
            "born in flight",
            "born held",
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
            "sent",
            "sent again by hand",
            "endpoint read",
            "loaded after a doubt",
            "published again",
            "stale change",
            "change applied again",
            "cut off",
            "process stops",
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
    ("publish", &["handed over", "duplicate", "conflict"]),
];

/// Pairs of a fault and a step that the long run does not insist on.
pub(super) const LEFT_OUT: &[(&str, &[&str])] = &[
    // It is counted so that it can be seen that it never happens.
    ("any", &["no legal step"]),
    // A cancel or a release takes an operator just then, and a jump that somebody sees is rare: fewer than one in 2,000
    // seeds has both within a minute.
    ("jump back", &["in flight to cancelled"]),
    ("jump ahead", &["in flight to cancelled", "scheduled to cancelled"]),
];
