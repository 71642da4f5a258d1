//! What one attempt costs in memory, whatever the receiver does: measured by the system, in a process of its own.
#![cfg(target_os = "linux")]

use std::fs;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use notify_core::transport::{Request, Transport};
use notify_http::HttpTransport;
use notify_http::testing::{HostileReceiver, Shape};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::receiver::{loopback, request};

const LIMIT_KIB: u64 = 1024;
/// More than the sockets' buffers hold, so that a receiver that reads nothing is felt. Not counted: the engine's.
const BODY: usize = 8 << 20;
const DEADLINE: Duration = Duration::from_secs(2);

const URL: &str = "NOTIFY_TEST_MEMORY_URL";
const PEM: &str = "NOTIFY_TEST_MEMORY_PEM";
const WARM: &str = "NOTIFY_TEST_MEMORY_WARM";
/// Set for the control: what the process takes and gives back beside its attempt.
const CONTROL: &str = "NOTIFY_TEST_MEMORY_CONTROL";
const CONTROL_KIB: u64 = 4096;
const RESULT: &str = "peak growth in KiB: ";

fn trusting(pems: &str) -> HttpTransport {
    let builder = loopback();
    if pems.is_empty() { builder.build().unwrap() } else { builder.extra_root_pem(pems).build().unwrap() }
}

/// The peak of what this process held since it was last asked to forget, and what it holds now.
fn resident(line: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let value = status.lines().find_map(|found| found.strip_prefix(line)).unwrap();
    value.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
}

/// The process that makes one attempt. Its runtime, its code and TLS's tables are there before it measures.
async fn measured() {
    let transport = trusting(&std::env::var(PEM).unwrap());
    for url in std::env::var(WARM).unwrap().split(' ') {
        let _ = transport.send(request(url)).await;
    }
    let body = Bytes::from(vec![b'x'; BODY]);
    let asked = Request::new(std::env::var(URL).unwrap().into(), Vec::new(), body.clone(), DEADLINE);
    // Sets the peak back to what is held now.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = resident("VmRSS");
    let _ = transport.send(asked).await;
    if std::env::var(CONTROL).is_ok() {
        drop(std::hint::black_box(vec![1_u8; usize::try_from(CONTROL_KIB * 1024).unwrap()]));
    }
    // What outlives the attempt counts too.
    tokio::time::sleep(Duration::from_millis(50)).await;
    println!("{RESULT}{}", resident("VmHWM").saturating_sub(before));
    // Held to the end: given back earlier, it would make room in the figure.
    drop(body);
}

async fn growth(shape: Shape, warm: Arc<[HostileReceiver; 3]>, control: Option<(&str, &str)>) -> u64 {
    let receiver = HostileReceiver::start(shape).await.unwrap();
    let pems: String = warm.iter().chain([&receiver]).filter_map(HostileReceiver::root_pem).collect();
    let urls: Vec<_> = warm.iter().map(HostileReceiver::url).collect();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "memory::one_attempt_takes_at_most_a_mebibyte_whatever_the_receiver_does", "--nocapture"])
        .envs([(URL, receiver.url()), (PEM, pems), (WARM, urls.join(" "))])
        .envs(control)
        // One heap, so that the figure does not depend on which thread took what.
        .env("MALLOC_ARENA_MAX", "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = tokio::task::spawn_blocking(move || child.wait_with_output()).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let figure = text.lines().find_map(|line| line.split_once(RESULT)).map(|(_, figure)| figure.trim().parse());
    figure.and_then(Result::ok).unwrap_or_else(|| panic!("{}: {text}", shape.name()))
}

#[tokio::test]
async fn one_attempt_takes_at_most_a_mebibyte_whatever_the_receiver_does() {
    if std::env::var(URL).is_ok() {
        return measured().await;
    }
    let warm = [Shape::NonUtf8Body, Shape::NoTlsFarewell, Shape::ResetAfterHead].map(HostileReceiver::start);
    let [plain, tls, http2] = warm;
    let warm = Arc::new([plain.await.unwrap(), tls.await.unwrap(), http2.await.unwrap()]);
    // The measure sees what is taken and given back.
    let control = growth(Shape::NonUtf8Body, Arc::clone(&warm), Some((CONTROL, ""))).await;
    // The system counts pages in lots, a few dozen kibibytes for each processor.
    assert!(control >= CONTROL_KIB * 7 / 8, "{control} KiB");

    let (begun, places) = (Instant::now(), Arc::new(Semaphore::new(4)));
    let mut measured = JoinSet::new();
    for shape in Shape::ALL {
        let (warm, places) = (Arc::clone(&warm), Arc::clone(&places));
        measured.spawn(async move {
            let _place = places.acquire().await.unwrap();
            (growth(*shape, warm, None).await, shape.name())
        });
    }
    let mut figures = measured.join_all().await;
    figures.sort_unstable();
    println!("KiB an attempt, the largest: {:?}; {:?} in all", &figures[figures.len() - 8..], begun.elapsed());
    let over: Vec<_> = figures.iter().filter(|(kib, _)| *kib > LIMIT_KIB).collect();
    assert!(over.is_empty(), "{over:?}");
}
