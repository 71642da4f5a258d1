//! Names of keys and of what they hold.
//!
//! All keys of a shard begin with `{namespace:shard}:`, so that one hash slot has them. A tenant's name may hold any
//! character, so its length stands before it: no two pairs of tenant and id share a key.

use notify_core::TenantId;
use notify_core::event::EventKey;
use notify_core::id::IdempotencyKey;

/// The key of a shard that every script gets; the script knows the others by it.
pub(crate) fn meta(namespace: &str, shard: u16) -> String {
    format!("{{{namespace}:{shard}}}:meta")
}

/// On which channel every write to a namespace is told.
pub(crate) fn channel(namespace: &str) -> String {
    format!("{namespace}:changed")
}

/// A tenant, in keys.
pub(crate) fn tenant(tenant: &TenantId) -> String {
    format!("{}:{tenant}", tenant.as_str().len())
}

/// Reads what [`tenant`] wrote.
pub(crate) fn parse_tenant(text: &str) -> Option<TenantId> {
    text.split_once(':')?.1.parse().ok()
}

/// The key of an event's hash, from the shard's `meta` and the event's name in keys.
pub(crate) fn event_hash(meta: &str, event: &str) -> String {
    format!("{}e:{event}", meta.trim_end_matches("meta"))
}

/// The key of a batch that was begun, from the `meta` of the shard that keeps it.
pub(crate) fn batch(meta: &str, id: &str) -> String {
    format!("{}b:{id}", meta.trim_end_matches("meta"))
}

/// An event, in keys and rows.
pub(crate) fn event(key: &EventKey) -> String {
    format!("{}/{}", tenant(&key.tenant), key.id)
}

/// An idempotency key, in keys.
pub(crate) fn idempotency(owner: &TenantId, key: &IdempotencyKey) -> String {
    format!("{}/{key}", tenant(owner))
}

/// Reads what [`idempotency`] wrote for this tenant.
pub(crate) fn parse_idempotency(owner: &TenantId, text: &str) -> Option<IdempotencyKey> {
    text.strip_prefix(&tenant(owner))?.strip_prefix('/')?.parse().ok()
}

/// Reads what [`event`] wrote.
pub(crate) fn parse_event(text: &str) -> Option<EventKey> {
    let (length, rest) = text.split_once(':')?;
    let (tenant, id) = rest.split_at_checked(length.parse().ok()?)?;
    Some(EventKey { tenant: tenant.parse().ok()?, id: id.strip_prefix('/')?.parse().ok()? })
}

/// In which of `shards` a tenant lives, with all that it has. Fixed for ever: FNV-1a.
pub(crate) fn shard_of(tenant: &TenantId, shards: usize) -> usize {
    let hash = tenant
        .as_str()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    usize::try_from(hash % shards.max(1) as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_reads_back_whatever_its_tenant_is_called() {
        for name in ["default", "7:default", "a/b", "{x}", "é", "1:a/evt_1"] {
            let Ok(tenant) = name.parse() else { continue };
            let key = EventKey { tenant, id: "evt_1".parse().unwrap() };
            assert_eq!(parse_event(&event(&key)), Some(key), "{name}");
        }
        for bad in ["", "7", "9:default/evt_1", "7:default", "x:default/evt_1", "7:defaultevt_1"] {
            assert_eq!(parse_event(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_idempotency_key_reads_back_for_its_tenant_alone() {
        let owner: TenantId = "a/b".parse().unwrap();
        for text in ["k", "/", "k/1 é", "3:a/b/k"] {
            let key: IdempotencyKey = text.parse().unwrap();
            let written = idempotency(&owner, &key);
            assert_eq!(parse_idempotency(&owner, &written), Some(key));
            assert_eq!(parse_idempotency(&"a".parse().unwrap(), &written), None);
        }
    }

    #[test]
    fn a_tenant_stays_in_its_shard() {
        // Written into every namespace: another answer would lose the tenant.
        let of = |name: &str, shards| shard_of(&name.parse().unwrap(), shards);
        assert_eq!((of("default", 1), of("default", 3), of("default", 16), of("acme", 16)), (0, 0, 14, 15));
    }
}
