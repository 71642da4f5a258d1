//! The scripts: their texts, and what the server calls them.

use std::fmt;
use std::sync::OnceLock;

use redis::Script as Sha;

/// A Lua script, sent by its digest and in full where the server does not know it.
pub(crate) struct Script {
    text: &'static str,
    digest: OnceLock<String>,
}

impl Script {
    const fn new(text: &'static str) -> Self {
        Self { text, digest: OnceLock::new() }
    }

    pub(crate) const fn text(&self) -> &'static str {
        self.text
    }

    pub(crate) fn digest(&self) -> &str {
        self.digest.get_or_init(|| Sha::new(self.text).get_hash().to_owned())
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Script").field(&self.digest()).finish()
    }
}

/// `write` is refused when memory is used up, `finish` is not: it lets accepted work end and be removed. `read` runs
/// on a full server and on one that lost its replicas. The first line makes the server refuse keys of another slot.
macro_rules! scripts {
    ($($name:ident = $flags:literal $($file:literal)+;)+) => {
        $(pub(crate) static $name: Script =
            Script::new(concat!("#!lua", $flags, "\n", include_str!("scripts/shard.lua") $(, include_str!($file))+));)+
    };
}

scripts! {
    INSERT = "" "scripts/insert.lua";
    BATCH_BEGIN = "" "scripts/batch_begin.lua";
    BATCH_TAKE = " flags=allow-oom" "scripts/batch_take.lua";
    BATCH_END = " flags=allow-oom" "scripts/batch_end.lua";
    ATTACH = "" "scripts/attach.lua";
    OPEN = "" "scripts/open.lua";
    ENDPOINT_CREATE = "" "scripts/endpoint_create.lua";
    ENDPOINT_CHANGE = " flags=allow-oom" "scripts/endpoint_change.lua";
    CLAIM = " flags=allow-oom" "scripts/claim.lua";
    QUARANTINE = " flags=allow-oom" "scripts/quarantine.lua";
    APPLY = " flags=allow-oom" "scripts/counts.lua" "scripts/apply.lua";
    SWEEP = " flags=allow-oom" "scripts/sweep.lua";
    PRUNE = " flags=allow-oom" "scripts/prune.lua";
    CHECK = " flags=no-writes" "scripts/check.lua";
    PEEK = " flags=no-writes" "scripts/peek.lua";
    ROWS = " flags=no-writes" "scripts/rows.lua";
    PAGE = " flags=no-writes" "scripts/page.lua";
    EVENT = " flags=no-writes" "scripts/event.lua";
    STATS = " flags=no-writes" "scripts/stats.lua";
    HOLDING = " flags=no-writes" "scripts/holding.lua";
    ENDPOINTS = " flags=no-writes" "scripts/endpoints.lua";
    TIME = " flags=no-writes" "scripts/time.lua";
    VERIFY = " flags=no-writes" "scripts/verify.lua";
    ATTEMPTS = " flags=no-writes" "scripts/attempts.lua";
    ACTIVITY = " flags=no-writes" "scripts/activity.lua";
    FAILING = " flags=no-writes" "scripts/failing.lua";
    TENANTS = " flags=no-writes" "scripts/tenants.lua";
}
