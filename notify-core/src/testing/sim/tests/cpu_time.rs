//! How much of a core's time was used: the clock on the wall says more of what else the machine does.

use std::time::Duration;

/// The time that this thread has run on a core; `None` where the system is not Linux.
///
/// Source: Linux, Documentation/scheduler/sched-stats.rst: the first number of `/proc/<pid>/schedstat`, in nanoseconds.
pub(super) fn of_this_thread() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

#[test]
fn work_takes_time_where_the_system_tells_it() {
    let Some(before) = of_this_thread() else { return };
    let sum = (0..20_000_000_u64).fold(0_u64, |sum, number| std::hint::black_box(sum ^ number));
    assert!(of_this_thread().is_some_and(|after| after > before), "{sum}");
}
