//! Reading from a store in the middle of an assertion, which does not await.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};

/// Longer than any store takes, and short enough for whoever waits for the message.
const PATIENCE: Duration = Duration::from_secs(10);

/// What `future` comes to. The memory store answers at once, and SQLite from threads of its own. A store that needs
/// the runtime to move can only answer on another of its threads.
#[track_caller]
pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    // The task's budget is not the question here: nothing gives it back while the thread waits.
    let mut future = pin!(tokio::task::unconstrained(future));
    if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        return done;
    }
    match Handle::try_current() {
        Ok(runtime) if runtime.runtime_flavor() == RuntimeFlavor::MultiThread => {
            tokio::task::block_in_place(|| runtime.block_on(future))
        }
        _ => park(future, PATIENCE),
    }
}

#[track_caller]
fn park<T>(mut future: Pin<&mut impl Future<Output = T>>, patience: Duration) -> T {
    let alarm = Arc::new(Alarm { thread: thread::current(), rung: AtomicBool::new(false) });
    let waker = Waker::from(Arc::clone(&alarm));
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return done;
        }
        if !alarm.rung.swap(false, Ordering::Acquire) {
            thread::park_timeout(patience);
            if !alarm.rung.swap(false, Ordering::Acquire) {
                panic!(
                    "the store did not answer within {} s\n  hint: if it needs the runtime to answer, use \
                     #[tokio::test(flavor = \"multi_thread\")]",
                    patience.as_secs()
                );
            }
        }
    }
}

struct Alarm {
    thread: Thread,
    rung: AtomicBool,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn an_answer_from_another_thread_is_waited_for() {
        let (answer, question) = oneshot::channel();
        let other = thread::spawn(move || answer.send(7));
        assert_eq!(wait(question), Ok(7));
        other.join().unwrap().unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn an_answer_from_a_task_of_the_runtime_is_waited_for() {
        let (answer, question) = oneshot::channel();
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(async move { answer.send(7) });
        assert_eq!(wait(question), Ok(7));
    }

    #[test]
    #[should_panic(expected = "use #[tokio::test(flavor = \"multi_thread\")]")]
    fn a_store_that_never_answers_ends_the_test_with_a_way_out() {
        park(pin!(std::future::pending::<()>()), Duration::from_millis(1));
    }
}
