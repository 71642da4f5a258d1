//! Several at once on one store.

use std::sync::Arc;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::store::Store;

use super::subject::{Subject, answer};

/// Runs `count` tasks at once, each with the store and its number; gives their results by number.
///
/// All begin together, after each has made a call: a pool has then opened its connections, and no handshake keeps the
/// tasks apart.
///
/// # Panics
/// With the message of the first task that panicked.
pub(super) async fn race<T, F>(subject: &Subject, count: usize, work: impl Fn(Arc<dyn Store>, usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(count));
    let mut tasks = JoinSet::new();
    for number in 0..count {
        let (store, start) = (subject.store(), Arc::clone(&start));
        let work = work(Arc::clone(&store), number);
        tasks.spawn(async move {
            start.wait().await;
            answer("load", store.load(&[]).await);
            start.wait().await;
            (number, work.await)
        });
    }
    let mut results = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        match ended {
            Ok(result) => results.push(result),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(error) => panic!("a task ended: {error}"),
            },
        }
    }
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}
