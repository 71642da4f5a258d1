//! Several who write one endpoint at once, and pages while others write.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::endpoint::Endpoint;
use crate::store::{DeliveryQuery, EventQuery, Replaced};

use super::super::race::race;
use super::super::sample::{batch, disabled, endpoint, event, named, t};
use super::log::{list_deliveries, list_events, page};
use super::{Done, Subject, answer};

const WRITERS: usize = 8;

pub(crate) async fn of_many_who_replace_one_version_at_once_exactly_one_wins(store: &mut Subject) -> Done {
    store.registers(&[endpoint("a")]).await?;
    for version in 1..=5_u64 {
        let admin = store.admin()?;
        let outcomes = race(store, WRITERS, |_, n| {
            let admin = Arc::clone(&admin);
            let next = Endpoint {
                description: format!("writer {n}"),
                version: crate::id::Version::new(version + 1),
                ..endpoint("a")
            };
            async move { answer("replace", admin.replace(crate::id::Version::new(version), &next).await) }
        })
        .await;
        let winners: Vec<usize> = (0..WRITERS).filter(|n| outcomes[*n] == Replaced::Written).collect();
        assert_eq!(winners.len(), 1, "{outcomes:?}");
        let row = store.endpoint("a").await;
        assert_eq!(row.map(|row| row.description.clone()), Some(format!("writer {}", winners[0])));
    }
    Ok(())
}

/// Each reads, changes, and tries again when somebody wrote first: none of the changes is lost.
pub(crate) async fn rotations_at_once_all_land(store: &mut Subject) -> Done {
    store.registers(&[endpoint("a")]).await?;
    let (admin, directory) = (store.admin()?, store.directory());
    race(store, WRITERS, |_, n| {
        let (admin, directory) = (Arc::clone(&admin), Arc::clone(&directory));
        async move {
            loop {
                let read = answer("get", directory.get(&[named("a")]).await).pop().flatten();
                let Some(read) = read else { panic!("the endpoint is there") };
                let mut next = Endpoint::clone(&read);
                next.description.push_str(&format!("<{n}>"));
                next.version = next.version.next();
                match answer("replace", admin.replace(read.version, &next).await) {
                    Replaced::Written => break,
                    Replaced::Stale => tokio::task::yield_now().await,
                    Replaced::Missing => panic!("the endpoint is there"),
                }
            }
        }
    })
    .await;
    let Some(row) = store.endpoint("a").await else { panic!("the endpoint is there") };
    assert_eq!(row.version.get(), 1 + WRITERS as u64);
    for n in 0..WRITERS {
        assert!(row.description.contains(&format!("<{n}>")), "the change of writer {n} is lost: {}", row.description);
    }
    Ok(())
}

pub(crate) async fn of_many_who_disable_at_once_exactly_one_did_it(store: &mut Subject) -> Done {
    store.registers(&[endpoint("a")]).await?;
    let directory = store.directory();
    let answers = race(store, WRITERS, |_, n| {
        let directory = Arc::clone(&directory);
        async move { answer("disable", directory.disable(&named("a"), &disabled(n as i64)).await) }
    })
    .await;
    assert_eq!(answers.iter().filter(|did| **did).count(), 1, "{answers:?}");
    assert_eq!(store.endpoint("a").await.map(|row| row.version.get()), Some(2));
    Ok(())
}

pub(crate) async fn of_many_who_create_one_id_at_once_one_is_stored(store: &mut Subject) -> Done {
    let admin = store.admin()?;
    race(store, WRITERS, |_, n| {
        let admin = Arc::clone(&admin);
        let new = Endpoint { description: format!("writer {n}"), ..endpoint("a") };
        async move { answer("create", admin.create(&new).await) }
    })
    .await;
    assert_eq!(super::endpoints::list(store, "default", None, 10).await?.0, ["a"]);
    Ok(())
}

pub(crate) async fn of_many_who_delete_at_once_exactly_one_did_it(store: &mut Subject) -> Done {
    store.registers(&[endpoint("a")]).await?;
    let admin = store.admin()?;
    let answers = race(store, WRITERS, |_, _| {
        let admin = Arc::clone(&admin);
        async move { answer("delete", admin.delete(&named("default"), &named("a"), t(5)).await) }
    })
    .await;
    assert_eq!(answers.iter().filter(|did| **did).count(), 1, "{answers:?}");
    Ok(())
}

/// Whoever pages while others publish sees each row that was there before, once.
pub(crate) async fn pages_stay_whole_while_others_publish(store: &mut Subject) -> Done {
    store.backlog("old", "a", 40).await;
    let log = store.log()?;
    let seen = race(store, 4, |store, n| {
        let log = Arc::clone(&log);
        async move {
            let (mut events, mut rows, mut after) = (Vec::new(), Vec::new(), None);
            if n > 1 {
                for turn in 0..25 {
                    let new = batch(0, vec![event(&format!("new{n}-{turn}"), 0, &["a"], 0)]);
                    answer("insert", store.insert(&new).await);
                }
                return (events, rows);
            }
            loop {
                let query = EventQuery { page: page(after, 3), ..EventQuery::default() };
                let shown = answer("events", log.events(&query).await);
                events.extend(shown.items.iter().map(|record| record.event.key.id.to_string()));
                after = shown.next;
                if after.is_none() {
                    break;
                }
            }
            loop {
                let query = DeliveryQuery { page: page(after, 3), ..DeliveryQuery::default() };
                let shown = answer("deliveries", log.deliveries(&query).await);
                rows.extend(shown.items.iter().map(|row| row.event().id.to_string()));
                after = shown.next;
                if after.is_none() {
                    break;
                }
            }
            (events, rows)
        }
    })
    .await;
    for (events, rows) in &seen[..2] {
        for shown in [events, rows] {
            let distinct: BTreeSet<&String> = shown.iter().collect();
            assert_eq!(distinct.len(), shown.len(), "none comes twice");
            let old = shown.iter().filter(|id| id.starts_with("old")).count();
            assert_eq!(old, 40, "none that was there before is hidden");
        }
    }
    let (all, _) = list_events(store, &EventQuery { page: page(None, 100), ..EventQuery::default() }).await?;
    let (rows, _) =
        list_deliveries(store, &DeliveryQuery { page: page(None, 100), ..DeliveryQuery::default() }).await?;
    assert_eq!((all.len(), rows.len()), (90, 90));
    Ok(())
}
