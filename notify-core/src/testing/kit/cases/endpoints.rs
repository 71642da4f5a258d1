//! The directory and its administration.

use std::sync::Arc;

use crate::endpoint::{Endpoint, EndpointStatus, PolicyOverrides};
use crate::id::{EndpointId, EventFilter, TenantId, Version};
use crate::retry::SuccessRule;
use crate::sign::{Secret, SecretRole, SecretSet, StoredSecret};
use crate::store::{Cursor, EndpointQuery, PageRequest, Replaced};

use super::super::case::NotOffered;
use super::super::sample::{disabled, endpoint, named, rows, t};
use super::{Done, Subject, answer};

/// An endpoint that uses each of its columns.
pub(super) fn full(id: &str) -> Endpoint {
    let secret = |role, text: &str, retires_at| StoredSecret {
        role,
        secret: Secret::new(text).unwrap_or_else(|error| panic!("{error}")),
        created_at: t(1),
        retires_at,
    };
    let secrets = vec![
        secret(SecretRole::Current, "the current one, of the host's own", None),
        secret(SecretRole::Next, "the staged one, of the host's own", None),
        secret(SecretRole::Previous, "the old one, of the host's own", Some(t(86_400_000))),
    ];
    Endpoint {
        name: named("Zoë's \"hook\" 😀"),
        url: named("https://example.com/hook?a=1&b=%20#x"),
        description: "two\nlines, \"quoted\", it's O'Brien's; DROP TABLE endpoint;--".to_owned(),
        filter: EventFilter::new(["a.*", "b.c", "*"]).unwrap_or_else(|error| panic!("{error}")),
        headers: vec![crate::endpoint::CustomHeader::new("x-tenant", "a b").unwrap_or_else(|error| panic!("{error}"))],
        status: EndpointStatus::Disabled(disabled(3)),
        secrets: SecretSet::restore(secrets).unwrap_or_else(|| panic!("one of each role")),
        policy: PolicyOverrides {
            success: Some(SuccessRule::Any2xx),
            timeout: Some(std::time::Duration::from_millis(7_500)),
            ..PolicyOverrides::default()
        },
        version: Version::new(9),
        created_at: t(1),
        updated_at: t(2),
        ..endpoint(id)
    }
}

pub(super) async fn subscribed(store: &Subject, tenant: &str, event_type: &str) -> Vec<String> {
    let found = answer("subscribed", store.directory().subscribed(&named(tenant), &named(event_type)).await);
    let mut ids: Vec<String> = found.iter().map(|endpoint| endpoint.id.to_string()).collect();
    ids.sort_unstable();
    ids
}

async fn disable(store: &Subject, id: &str, now: i64) -> bool {
    answer("disable", store.directory().disable(&named(id), &disabled(now)).await)
}

pub(super) async fn delete(store: &Subject, tenant: &str, id: &str) -> Result<bool, NotOffered> {
    Ok(answer("delete", store.admin()?.delete(&named(tenant), &named(id), t(5)).await))
}

async fn replace(store: &Subject, expected: u64, next: &Endpoint) -> Result<Replaced, NotOffered> {
    Ok(answer("replace", store.admin()?.replace(Version::new(expected), next).await))
}

pub(super) async fn list(
    store: &Subject,
    tenant: &str,
    after: Option<Cursor>,
    limit: u32,
) -> Result<(Vec<String>, Option<Cursor>), NotOffered> {
    let query = EndpointQuery { tenant: named(tenant), page: PageRequest { after, limit } };
    let page = answer("list", store.admin()?.list(&query).await);
    Ok((page.items.iter().map(|endpoint| endpoint.id.to_string()).collect(), page.next))
}

pub(crate) async fn an_endpoint_reads_back_in_every_field(store: &mut Subject) -> Done {
    let full = full("a");
    store.registers(std::slice::from_ref(&full)).await?;
    assert_eq!(store.endpoint("a").await.as_deref(), Some(&full));
    let listed = answer("subscribed", store.directory().subscribed(&full.tenant, &named("b.c")).await);
    assert_eq!(listed, [Arc::new(full)]);
    Ok(())
}

pub(crate) async fn creating_an_endpoint_again_changes_nothing(store: &mut Subject) -> Done {
    store.registers(&[endpoint("a"), full("a")]).await?;
    assert_eq!(store.endpoint("a").await.as_deref(), Some(&endpoint("a")));
    assert_eq!(list(store, "default", None, 10).await?.0, ["a"]);
    Ok(())
}

pub(crate) async fn creating_a_deleted_endpoint_again_does_not_bring_it_back(store: &mut Subject) -> Done {
    store.registers(&[endpoint("a")]).await?;
    delete(store, "default", "a").await?;
    store.registers(&[endpoint("a")]).await?;
    assert_eq!(store.endpoint("a").await, None);
    Ok(())
}

pub(crate) async fn subscribed_finds_those_whose_filter_matches(store: &mut Subject) -> Done {
    let only = |id: &str, pattern: &str| Endpoint {
        filter: EventFilter::new([pattern]).unwrap_or_else(|error| panic!("{error}")),
        ..endpoint(id)
    };
    store.registers(&[endpoint("all"), only("exact", "a.b"), only("under", "a.*"), only("other", "b.c")]).await?;
    assert_eq!(subscribed(store, "default", "a.b").await, ["all", "exact", "under"]);
    assert_eq!(subscribed(store, "default", "a.b.c").await, ["all", "under"]);
    assert_eq!(subscribed(store, "default", "ab.c").await, ["all"]);
    Ok(())
}

pub(crate) async fn subscribed_finds_disabled_endpoints_too(store: &mut Subject) -> Done {
    store.registers(&[endpoint("a")]).await?;
    assert!(disable(store, "a", 9).await);
    assert_eq!(subscribed(store, "default", "a.b").await, ["a"]);
    Ok(())
}

pub(crate) async fn subscribed_finds_no_deleted_endpoint(store: &mut Subject) -> Done {
    store.registers(&[endpoint("a"), endpoint("b")]).await?;
    delete(store, "default", "a").await?;
    assert_eq!(subscribed(store, "default", "a.b").await, ["b"]);
    Ok(())
}

pub(crate) async fn subscribed_follows_a_changed_filter(store: &mut Subject) -> Done {
    store.registers(&[endpoint("a")]).await?;
    let filter = EventFilter::new(["z.z"]).unwrap_or_else(|error| panic!("{error}"));
    replace(store, 1, &Endpoint { filter, version: Version::new(2), ..endpoint("a") }).await?;
    assert_eq!(subscribed(store, "default", "a.b").await, [""; 0]);
    assert_eq!(subscribed(store, "default", "z.z").await, ["a"]);
    Ok(())
}

pub(crate) async fn endpoints_are_read_in_the_order_they_were_asked_for(store: &mut Subject) -> Done {
    store.registers(&[endpoint("a"), endpoint("b")]).await?;
    let ids: Vec<EndpointId> = ["b", "x", "a", "b"].map(named).to_vec();
    let found = answer("get", store.directory().get(&ids).await);
    let shown: Vec<_> = found.iter().map(|found| found.as_ref().map(|endpoint| endpoint.id.as_str())).collect();
    assert_eq!(shown, [Some("b"), None, Some("a"), Some("b")]);
    Ok(())
}

pub(crate) async fn a_deleted_endpoint_is_read_as_none(store: &mut Subject) -> Done {
    store.registers(&[endpoint("a")]).await?;
    delete(store, "default", "a").await?;
    assert_eq!(store.endpoint("a").await, None);
    Ok(())
}

pub(crate) async fn reading_no_endpoint_gives_none(store: &mut Subject) -> Done {
    assert_eq!(answer("get", store.directory().get(&[]).await), []);
    Ok(())
}

pub(crate) async fn an_endpoint_is_disabled_once(store: &mut Subject) -> Done {
    store.registers(&[endpoint("a")]).await?;
    assert_eq!((disable(store, "a", 9).await, disable(store, "a", 10).await), (true, false));
    assert_eq!(
        store.endpoint("a").await.map(|found| found.status.clone()),
        Some(EndpointStatus::Disabled(disabled(9)))
    );
    Ok(())
}

pub(crate) async fn disabling_is_a_write_of_the_endpoint(store: &mut Subject) -> Done {
    store.registers(&[endpoint("a")]).await?;
    disable(store, "a", 9).await;
    let row = store.endpoint("a").await;
    assert_eq!(row.map(|row| (row.version, row.updated_at)), Some((Version::new(2), t(9))));
    assert_eq!(replace(store, 1, &endpoint("a")).await?, Replaced::Stale);
    Ok(())
}

pub(crate) async fn what_does_not_exist_is_not_disabled(store: &mut Subject) -> Done {
    store.registers(&[endpoint("a")]).await?;
    delete(store, "default", "a").await?;
    assert_eq!((disable(store, "a", 9).await, disable(store, "x", 9).await), (false, false));
    assert_eq!(store.endpoint("a").await, None);
    Ok(())
}

pub(crate) async fn a_replacement_writes_every_field(store: &mut Subject) -> Done {
    store.registers(&[endpoint("a")]).await?;
    assert_eq!(replace(store, 1, &full("a")).await?, Replaced::Written);
    assert_eq!(store.endpoint("a").await.as_deref(), Some(&full("a")));
    let back = Endpoint { version: Version::new(10), ..endpoint("a") };
    assert_eq!(replace(store, 9, &back).await?, Replaced::Written);
    assert_eq!(store.endpoint("a").await.as_deref(), Some(&back));
    Ok(())
}

pub(crate) async fn of_two_writers_who_read_the_same_version_the_second_loses(store: &mut Subject) -> Done {
    store.registers(&[endpoint("a")]).await?;
    let next =
        |description: &str| Endpoint { description: description.to_owned(), version: Version::new(2), ..endpoint("a") };
    assert_eq!(replace(store, 1, &next("mine")).await?, Replaced::Written);
    assert_eq!(replace(store, 1, &next("theirs")).await?, Replaced::Stale);
    assert_eq!(store.endpoint("a").await.map(|row| row.description.clone()).as_deref(), Some("mine"));
    Ok(())
}

pub(crate) async fn what_does_not_exist_is_not_replaced(store: &mut Subject) -> Done {
    store.registers(&[endpoint("a")]).await?;
    delete(store, "default", "a").await?;
    assert_eq!(replace(store, 1, &endpoint("x")).await?, Replaced::Missing);
    assert_eq!(replace(store, 1, &endpoint("a")).await?, Replaced::Missing);
    assert_eq!((store.endpoint("x").await, store.endpoint("a").await), (None, None));
    Ok(())
}

pub(crate) async fn endpoints_are_listed_newest_first(store: &mut Subject) -> Done {
    store.registers(&["b", "d", "a", "c"].map(endpoint)).await?;
    assert_eq!(list(store, "default", None, 100).await?, (["c", "a", "d", "b"].map(str::to_owned).to_vec(), None));
    Ok(())
}

pub(crate) async fn a_list_goes_on_where_the_page_before_ended(store: &mut Subject) -> Done {
    store.registers(&["a", "b", "c", "d", "e"].map(endpoint)).await?;
    let first = list(store, "default", None, 2).await?;
    let second = list(store, "default", first.1, 2).await?;
    let third = list(store, "default", second.1, 2).await?;
    assert_eq!([first.0, second.0, third.0].concat(), ["e", "d", "c", "b", "a"]);
    assert_eq!(third.1, None);
    Ok(())
}

pub(crate) async fn a_last_page_of_endpoints_that_is_just_full_has_no_cursor(store: &mut Subject) -> Done {
    store.registers(&["a", "b"].map(endpoint)).await?;
    assert_eq!(list(store, "default", None, 2).await?.1, None);
    Ok(())
}

pub(crate) async fn endpoints_that_come_while_somebody_pages_repeat_none(store: &mut Subject) -> Done {
    store.registers(&["a", "b", "c"].map(endpoint)).await?;
    let (_, next) = list(store, "default", None, 2).await?;
    store.registers(&["d", "e"].map(endpoint)).await?;
    assert_eq!(list(store, "default", next, 10).await?.0, ["a"]);
    Ok(())
}

pub(crate) async fn deleted_endpoints_are_not_listed(store: &mut Subject) -> Done {
    store.registers(&["a", "b", "c"].map(endpoint)).await?;
    let (_, next) = list(store, "default", None, 2).await?;
    delete(store, "default", "b").await?;
    assert_eq!(list(store, "default", None, 10).await?.0, ["c", "a"]);
    assert_eq!(list(store, "default", next, 10).await?.0, ["a"], "the cursor's own row is gone, its place is not");
    Ok(())
}

pub(crate) async fn a_replaced_endpoint_keeps_its_place_in_the_list(store: &mut Subject) -> Done {
    store.registers(&["a", "b"].map(endpoint)).await?;
    replace(store, 1, &full("a")).await?;
    assert_eq!(list(store, "default", None, 10).await?.0, ["b", "a"]);
    Ok(())
}

pub(crate) async fn a_delete_says_whether_the_endpoint_existed(store: &mut Subject) -> Done {
    store.registers(&[endpoint("a")]).await?;
    let answers = [
        delete(store, "default", "x").await?,
        delete(store, "default", "a").await?,
        delete(store, "default", "a").await?,
    ];
    assert_eq!(answers, [false, true, false]);
    Ok(())
}

pub(crate) async fn a_deleted_endpoint_s_deliveries_and_log_stay(store: &mut Subject) -> Done {
    store.registers(&[endpoint("a")]).await?;
    store.holds(&["e", "f"], &["a"]).await;
    let change = super::super::sample::failed(&store.claim_up_to(1, 0, 1).await.claimed[0].delivery, 1, 5);
    store.applied(std::slice::from_ref(&change)).await;
    delete(store, "default", "a").await?;
    let logged = answer("attempts", store.log()?.attempts(&change.delivery()).await);
    assert_eq!(logged, change.attempts());
    assert_eq!(rows(&store.claim(300_005, 2).await), ["e/a", "f/a"]);
    Ok(())
}

pub(crate) async fn a_tenant_without_endpoints_has_an_empty_list(store: &mut Subject) -> Done {
    store.registers(&[endpoint("a")]).await?;
    assert_eq!(list(store, "nobody", None, 10).await?, (vec![], None));
    assert_eq!(subscribed(store, TenantId::default().as_str(), "a.b").await, ["a"]);
    Ok(())
}
