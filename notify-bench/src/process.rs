//! What this process has used so far, read from `/proc/self`.

use std::fs;
use std::io;
use std::time::Duration;

use crate::error::BenchError;

const STAT: &str = "/proc/self/stat";
const STATUS: &str = "/proc/self/status";

/// One tick of `/proc/self/stat`. The kernel shows times in `USER_HZ`, which is 100 on every architecture that
/// this builds for, whatever the kernel's own tick is (proc_pid_stat(5)).
const TICK: Duration = Duration::from_millis(10);

/// `ESRCH`, which reading a file of a thread that has ended may give instead of "not found".
const NO_SUCH_PROCESS: i32 = 3;

/// CPU time of the whole process since its start, user and system, threads that have ended included. Read in
/// steps of 10 ms each, so a difference of two readings is true to 20 ms.
///
/// # Errors
/// `/proc/self/stat` cannot be read.
pub fn cpu_time() -> Result<Duration, BenchError> {
    let stat = fs::read_to_string(STAT).map_err(BenchError::io("cannot read /proc/self/stat"))?;
    cpu_time_in(&stat).ok_or(BenchError::Proc { file: STAT, field: "utime and stime" })
}

/// The most memory that this process has ever had resident, in bytes (`VmHWM`).
///
/// # Errors
/// `/proc/self/status` cannot be read.
pub fn peak_memory() -> Result<u64, BenchError> {
    kibibytes("VmHWM")
}

/// The memory that this process has resident now, in bytes (`VmRSS`).
///
/// # Errors
/// `/proc/self/status` cannot be read.
pub fn resident_memory() -> Result<u64, BenchError> {
    kibibytes("VmRSS")
}

/// CPU time of the threads that live now, in nanoseconds' steps: fit for an idle process, where [`cpu_time`] would
/// show one step of 10 ms or none. A thread that ends takes its time with it.
///
/// # Errors
/// `/proc/self/task` cannot be read, or the kernel was built without `CONFIG_SCHED_INFO`.
pub fn thread_time() -> Result<Duration, BenchError> {
    sum_over_threads("schedstat", first_number).map(Duration::from_nanos)
}

/// How often threads of this process have gone to sleep of their own will, summed over those that live: each time
/// was a wake-up before.
///
/// # Errors
/// `/proc/self/task` cannot be read.
pub fn wake_ups() -> Result<u64, BenchError> {
    sum_over_threads("status", |status| field_in(status, "voluntary_ctxt_switches"))
}

fn sum_over_threads(file: &'static str, read: fn(&str) -> Option<u64>) -> Result<u64, BenchError> {
    let what = "cannot read /proc/self/task";
    let mut sum = None;
    for entry in fs::read_dir("/proc/self/task").map_err(BenchError::io(what))? {
        let path = entry.map_err(BenchError::io(what))?.path().join(file);
        let text = match fs::read_to_string(path) {
            // A thread may end between the listing and the reading. Its figures are gone then.
            Err(error) if is_gone(&error) => continue,
            text => text.map_err(BenchError::io(what))?,
        };
        let value = read(&text).ok_or(BenchError::Proc { file, field: "a thread's count" })?;
        sum = Some(sum.unwrap_or(0) + value);
    }
    // This thread at least lives: if no file was there, this kernel has none.
    sum.ok_or(BenchError::Proc { file, field: "any thread" })
}

fn kibibytes(field: &'static str) -> Result<u64, BenchError> {
    let status = fs::read_to_string(STATUS).map_err(BenchError::io("cannot read /proc/self/status"))?;
    field_in(&status, field).map(|kib| kib * 1024).ok_or(BenchError::Proc { file: STATUS, field })
}

fn cpu_time_in(stat: &str) -> Option<Duration> {
    // The second field is the program's name in brackets, and may hold blanks and brackets itself.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some(TICK * user + TICK * system)
}

fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(NO_SUCH_PROCESS)
}

fn first_number(text: &str) -> Option<u64> {
    text.split_ascii_whitespace().next()?.parse().ok()
}

fn field_in(status: &str, field: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    first_number(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_with_brackets_does_not_shift_the_fields() {
        let stat = "77 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 250 31 0 0 20 0 3 0 99";
        assert_eq!(cpu_time_in(stat), Some(Duration::from_millis(2810)));
        assert_eq!(cpu_time_in("77 (a) S 1 2 3"), None);
    }

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let status =
            "VmHWMx:\t1 kB\nVmHWM:\t    4096 kB\nnonvoluntary_ctxt_switches:\t9\nvoluntary_ctxt_switches:\t3\n";
        assert_eq!(field_in(status, "VmHWM"), Some(4096));
        assert_eq!(field_in(status, "voluntary_ctxt_switches"), Some(3));
        assert_eq!(field_in(status, "VmRSS"), None);
    }

    #[test]
    fn this_process_has_memory_and_its_peak_is_no_less() {
        let resident = resident_memory().unwrap();
        assert!(resident > 0);
        assert!(peak_memory().unwrap() >= resident);
    }

    #[test]
    fn a_file_that_no_thread_has_is_an_error_and_not_zero() {
        assert!(thread_time().unwrap() > Duration::ZERO);
        cpu_time().unwrap();
        wake_ups().unwrap();
        assert!(matches!(sum_over_threads("no-such-file", first_number), Err(BenchError::Proc { .. })));
    }
}
