//! Secrets, credentials and payloads stay out of everything that people read: Debug texts, traces, errors, lists, and
//! the logged answers of receivers.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod common;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use common::{Fault, Host, Op, URL, id, mins, settle};
use notify_core::delivery::Response;
use notify_core::observe::TracingObserver;
use notify_core::sign::{Header, signed_headers};
use notify_core::store::{EndpointQuery, EventQuery, PageRequest};
use notify_core::testing::Reply;
use notify_core::transport::Request;
use notify_core::{EndpointPatch, NewEndpoint, NewEvent, Secret, TenantId, Verifier};

const SECRET: &str = "canary-secret-0123456789abcdef";
const CREDENTIAL: &str = "Bearer canary-credential-0123";
const PAYLOAD: &str = "canary-payload-0123";

fn assert_clean(what: &str, text: &str) {
    assert!(!text.is_empty(), "{what} is empty: nothing was checked");
    for canary in [SECRET, CREDENTIAL, PAYLOAD, "canary"] {
        assert!(!text.contains(canary), "{what} shows {canary}: {text}");
    }
}

fn new_endpoint() -> NewEndpoint {
    let mut new = NewEndpoint::new("crm", URL).secret(Secret::new(SECRET).unwrap());
    new.options.headers = Some(vec![("authorization".into(), CREDENTIAL.into())]);
    new
}

fn new_event() -> NewEvent {
    NewEvent::new("a.b", &format!(r#"{{"text":"{PAYLOAD}"}}"#)).unwrap()
}

/// An answer that throws everything back that it got.
fn echo() -> Reply {
    let mut response = Response::new(500);
    response.body = Bytes::from(format!("you sent {CREDENTIAL}, and your secret is {SECRET}"));
    Reply::Response(response)
}

/// A redirect that carries the credential away.
fn echo_in_location() -> Reply {
    let mut response = Response::new(302);
    response.location = Some(format!("https://elsewhere.test/{SECRET}/x"));
    Reply::Response(response)
}

#[derive(Clone, Default)]
struct Traces(Arc<Mutex<Vec<u8>>>);

impl Write for Traces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

// C72
#[tokio::test]
async fn no_canary_reaches_traces_debug_texts_lists_or_errors() {
    let traces = Traces::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer({
            let traces = traces.clone();
            move || traces.clone()
        })
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let host = Host::with(Reply::Status(200), |builder| builder.observer(TracingObserver));
    let created = host.engine.endpoints().create(new_endpoint()).await.unwrap();
    host.transport.respond(URL, [echo(), echo_in_location(), Reply::Panic]);
    host.store.between().fail_next(Op::Apply, [Fault::Fail]);
    let running = host.start();
    settle().await;
    host.engine.publish_event(new_event()).await.unwrap();
    settle().await;
    for minutes in [1, 5, 30, 120] {
        host.advance(mins(minutes)).await;
    }
    host.store.between().fail_next(Op::Insert, [Fault::Fail]);
    let failed = host.engine.publish_event(new_event()).await.unwrap_err();
    assert_clean("an error", &format!("{failed:?} {failed}"));
    running.stop().await;

    let history = host.engine.history();
    let mut events = EventQuery::default();
    events.page = PageRequest::default();
    let page = history.events(&events).await.unwrap();
    assert_eq!(page.items.len(), 1);
    assert_clean("the list of events", &format!("{page:?}"));
    let attempts = host.attempts().await;
    assert_eq!(attempts.len(), 4);
    assert_eq!(
        &attempts[0].response.as_ref().unwrap().bytes[..],
        b"you sent [redacted], and your secret is [redacted]"
    );
    assert_clean("the attempts", &format!("{attempts:?}"));
    let query = EndpointQuery { tenant: TenantId::default(), page: PageRequest::default() };
    let list = host.engine.endpoints().list(&query).await.unwrap();
    assert_eq!(list.items.len(), 1);
    assert_clean("the list of endpoints", &format!("{list:?} {created:?}"));
    assert_clean("the engine", &format!("{:?}", host.engine));

    let written = String::from_utf8(traces.0.lock().unwrap().clone()).unwrap();
    assert!(written.contains("attempt finished") && written.contains("store failed"), "{written}");
    assert_clean("the traces", &written);
}

#[test]
fn no_canary_is_in_the_debug_text_of_what_a_host_or_a_transport_holds() {
    let secret = Secret::new(SECRET).unwrap();
    let event = new_event();
    assert_clean("a new endpoint", &format!("{:?}", new_endpoint()));
    let mut patch = EndpointPatch::default();
    patch.headers = Some(vec![("authorization".into(), CREDENTIAL.into())]);
    assert_clean("a patch", &format!("{patch:?}"));
    assert_clean("a new event", &format!("{event:?}"));
    let built = event.build("evt_1".parse().unwrap(), common::t0());
    assert_clean("an event", &format!("{built:?}"));
    assert_clean("a verifier", &format!("{:?}", Verifier::new([secret.clone()])));
    let header = Header { name: "authorization".into(), value: CREDENTIAL.into() };
    assert_clean("a header", &format!("{header:?}"));
    let set = notify_core::sign::SecretSet::new(secret, common::t0());
    assert_clean("a set of secrets", &format!("{set:?}"));
    let mut headers = signed_headers(&set, &built.key.id, common::t0(), &built.body);
    let signature = headers[0].value.clone();
    headers.push(header);
    let request = Request::new(URL.into(), headers, built.body, mins(1));
    let shown = format!("{request:?}");
    assert_clean("a request", &shown);
    assert!(!shown.contains(&signature), "the whole signature is shown: {shown}");
}

#[tokio::test]
async fn what_is_too_short_to_be_told_from_text_is_left_in_an_answer() {
    let host = Host::new(Reply::Status(200));
    let mut new = NewEndpoint::new("crm", URL).secret(Secret::new("ab").unwrap());
    new.options.headers = Some(vec![("x-tier".into(), "gold".into())]);
    let created = host.engine.endpoints().create(new).await.unwrap();
    assert!(created.secret.is_weak());
    let mut response = Response::new(500);
    response.body = Bytes::from_static(b"about gold");
    host.transport.respond(URL, [Reply::Response(response)]);
    host.publish().await;
    host.engine.run_once().await.unwrap();
    assert_eq!(&host.attempts().await[0].response.as_ref().unwrap().bytes[..], b"about gold");
    assert_eq!(host.engine.endpoints().get(&TenantId::default(), id(&created)).await.unwrap().headers.len(), 1);
}
