//! What this process has used so far, read from `/proc/self`.

use std::fs;
use std::time::Duration;

use crate::error::BenchError;

const STAT: &str = "/proc/self/stat";
const STATUS: &str = "/proc/self/status";

/// One tick of `/proc/self/stat`. The kernel shows times in `USER_HZ`, which is 100 on every architecture that
/// this builds for, whatever the kernel's own tick is (proc_pid_stat(5)).
const TICK: Duration = Duration::from_millis(10);

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

/// How often threads of this process have gone to sleep of their own will, summed over those that live: each time
/// was a wake-up before.
///
/// # Errors
/// `/proc/self/task` cannot be read.
pub fn wake_ups() -> Result<u64, BenchError> {
    let what = "cannot read /proc/self/task";
    let mut sum = 0;
    for entry in fs::read_dir("/proc/self/task").map_err(BenchError::io(what))? {
        let path = entry.map_err(BenchError::io(what))?.path().join("status");
        // A thread may end between the listing and the reading; its count is gone then, and that is no failure.
        let Ok(status) = fs::read_to_string(path) else { continue };
        sum += field_in(&status, "voluntary_ctxt_switches")
            .ok_or(BenchError::Proc { file: "/proc/self/task/*/status", field: "voluntary_ctxt_switches" })?;
    }
    Ok(sum)
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

fn field_in(status: &str, field: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    value.split_ascii_whitespace().next()?.parse().ok()
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
        wake_ups().unwrap();
        cpu_time().unwrap();
    }
}
