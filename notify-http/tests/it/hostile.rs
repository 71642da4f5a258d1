//! Every shape of the hostile receiver: what an attempt comes to, in which time, and in how many requests.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use notify_core::delivery::TlsFault;
use notify_core::transport::Transport;
use notify_http::HttpTransport;
use notify_http::testing::{Ending, HostileReceiver, Shape};
use tokio::task::JoinSet;

use crate::receiver::{Answer, Receiver, loopback, request, within};

/// Time enough for a loaded machine to do what a shape needs.
const LONG: Duration = Duration::from_secs(30);
/// Where an attempt ends only with its deadline. Holds a TLS handshake on a loaded machine.
const SHORT: Duration = Duration::from_millis(1500);
/// Beyond the deadline.
const SLACK: Duration = Duration::from_secs(10);
const KEPT: usize = 16 * 1024;

fn trusting(receiver: &HostileReceiver) -> HttpTransport {
    let builder = loopback();
    match receiver.root_pem() {
        Some(pem) => builder.extra_root_pem(pem).build().unwrap(),
        None => builder.build().unwrap(),
    }
}

fn deadline(shape: Shape) -> Duration {
    if shape.ends_at_deadline() { SHORT } else { LONG }
}

/// One attempt; what is wrong with it, in words.
async fn faults(shape: Shape) -> Vec<String> {
    let receiver = HostileReceiver::start(shape).await.unwrap();
    let transport = trusting(&receiver);
    let mut asked = request(receiver.url());
    asked.timeout = deadline(shape);
    let begun = Instant::now();
    let reply = transport.send(asked).await;
    let took = begun.elapsed();

    let mut faults = Vec::new();
    if Ending::of(&reply) != shape.ending() {
        faults.push(format!("came to {reply:?} instead of {:?}", shape.ending()));
    }
    if took > deadline(shape) + SLACK || (took < deadline(shape)) == shape.ends_at_deadline() {
        faults.push(format!("took {took:?}"));
    }
    let peer = reply.as_ref().map_or_else(|failure| failure.peer, |response| response.peer);
    if peer != Some(Ipv4Addr::LOCALHOST.into()) {
        faults.push(format!("the operator learns of {peer:?}"));
    }
    if reply.as_ref().is_ok_and(|response| response.body.len() > KEPT) {
        faults.push("kept too much".into());
    }
    // A receiver that nobody trusts gets to see no request.
    let distrusted = receiver.root_pem().is_some() && matches!(shape.ending(), Ending::Tls(_));
    if distrusted && receiver.requests() > 0 {
        faults.push("was sent a request".into());
    }
    if receiver.connections() > 1 || receiver.requests() > 1 {
        faults.push(format!("{} connections, {} requests", receiver.connections(), receiver.requests()));
    }
    faults.into_iter().map(|fault| format!("{}: {fault}", shape.name())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_shape_comes_to_its_ending_in_one_request_and_within_its_time() {
    let mut attempts = JoinSet::new();
    let mut wrong = Vec::new();
    for (nth, shape) in Shape::ALL.iter().enumerate() {
        attempts.spawn(faults(*shape));
        if nth % 16 == 15 {
            while let Some(faults) = attempts.join_next().await {
                wrong.extend(faults.unwrap());
            }
        }
    }
    while let Some(faults) = attempts.join_next().await {
        wrong.extend(faults.unwrap());
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_table_has_forty_shapes_and_more_each_with_its_own_words() {
    let does: std::collections::BTreeSet<_> = Shape::ALL.iter().map(|shape| shape.does()).collect();
    assert!(does.len() >= 40, "{}", does.len());
    assert_eq!(does.len(), Shape::ALL.len());
}

/// For readers of the documents; the code is the table's only source.
#[test]
fn the_documents_show_the_table_as_it_is() {
    let row = |shape: &Shape| {
        let ending = match shape.ending() {
            Ending::Status(status) => format!("status {status}"),
            Ending::Failure(reason) => format!("`{}`", reason.as_str()),
            Ending::Tls(fault) => format!("`tls`: {}", words(fault)),
        };
        let when = if shape.ends_at_deadline() { ", at the attempt's deadline" } else { "" };
        format!("| `{}` | {} | {ending}{when} |\n", shape.name(), shape.does())
    };
    let table: String = Shape::ALL.iter().map(row).collect();
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/hostile-receivers.md");
    let shown = std::fs::read_to_string(document).unwrap();
    assert!(shown.ends_with(&table), "docs/hostile-receivers.md should end with\n{table}");
}

fn words(fault: TlsFault) -> &'static str {
    let sentence = fault.sentence();
    sentence.split_once(": ").map_or("no more is told", |(_, words)| words)
}

/// "Unprocessed, please send again" is what client libraries repeat a request for, unseen.
#[tokio::test]
async fn neither_goaway_nor_a_refused_stream_brings_a_second_request() {
    for shape in [Shape::GoAway, Shape::RefusedStream, Shape::Http11Required] {
        let receiver = HostileReceiver::start(shape).await.unwrap();
        let transport = trusting(&receiver);
        for nth in 1..=3 {
            let reply = transport.send(request(receiver.url())).await;
            assert_eq!((Ending::of(&reply), receiver.requests()), (shape.ending(), nth), "{}", shape.name());
        }
    }
}

/// The second answer to one request would make an unsent or unread request a success.
#[tokio::test]
async fn an_answer_nobody_asked_for_is_not_the_next_attempt_s() {
    let twice = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".repeat(2);
    for _ in 0..20 {
        let answers = twice.clone();
        let receiver = Receiver::scripted(move |nth| match nth {
            0 => Answer::Write(answers.clone()),
            _ => Answer::status(500),
        })
        .await;
        let transport = loopback().build().unwrap();
        assert_eq!(transport.send(request(receiver.url("/"))).await.unwrap().status, 200);
        let second = transport.send(request(receiver.url("/"))).await;
        assert!(matches!(Ending::of(&second), Ending::Status(500) | Ending::Failure(_)), "{second:?}");
    }
}

#[tokio::test]
async fn what_a_hostile_receiver_says_reaches_no_failure_s_text() {
    let lines =
        ["canary\r\n\r\n", "HTTP/1.1 200 OK\r\ncanary\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: canary\r\n\r\n"];
    let mut failures = Vec::new();
    for answer in lines {
        let receiver = Receiver::always(Answer::WriteThenClose(answer.into())).await;
        failures.push(loopback().build().unwrap().send(within(receiver.url("/"), 20_000)).await.unwrap_err());
    }
    // It goes away with words of its own.
    let receiver = HostileReceiver::start(Shape::GoAway).await.unwrap();
    failures.push(trusting(&receiver).send(request(receiver.url())).await.unwrap_err());
    for failure in failures {
        assert!(!format!("{failure} {failure:?}").contains("canary"), "{failure:?}");
    }
}
