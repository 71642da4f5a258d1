//! Reading from a store in the middle of an assertion, which does not await.

use std::pin::{Pin, pin};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
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
    let alarm = Arc::new(Alarm::default());
    let waker = Waker::from(Arc::clone(&alarm));
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return done;
        }
        assert!(
            alarm.rings_within(patience),
            "the store did not answer within {} s\n  hint: if it needs the runtime to answer, use \
             #[tokio::test(flavor = \"multi_thread\")]",
            patience.as_secs()
        );
    }
}

/// Wakes the thread that waits. Not by parking it: a wake-up that came before would end a later wait.
#[derive(Debug, Default)]
struct Alarm {
    rung: Mutex<bool>,
    bell: Condvar,
}

impl Alarm {
    fn rings_within(&self, patience: Duration) -> bool {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = self.bell.wait_timeout_while(rung, patience, |rung| !*rung);
        let (mut rung, _) = wait.unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut rung)
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.bell.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn an_answer_from_another_thread_is_waited_for() {
        let (answer, question) = oneshot::channel();
        let other = std::thread::spawn(move || answer.send(7));
        assert_eq!(wait(question), Ok(7));
        other.join().unwrap().unwrap();
    }

    /// Seen with SQLite: the wake-up that came before the thread waited ended its next wait as well.
    #[tokio::test]
    async fn a_wake_up_that_came_early_is_not_taken_for_the_end_of_patience() {
        let (answer, question) = oneshot::channel();
        let mut answer = Some(answer);
        let mut polls = 0;
        let mut question = pin!(question);
        let answer = std::future::poll_fn(|context| {
            polls += 1;
            match polls {
                2 => context.waker().wake_by_ref(),
                3 => drop(std::thread::spawn({
                    let answer = answer.take();
                    move || answer.map(|answer| answer.send(7))
                })),
                _ => {}
            }
            if polls < 3 { Poll::Pending } else { question.as_mut().poll(context) }
        });
        assert_eq!(wait(answer), Ok(7));
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
