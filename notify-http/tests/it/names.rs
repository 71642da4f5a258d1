//! Names: judged after resolution, all or nothing, at every new connection.

use std::time::Duration;

use notify_core::delivery::Reason;
use notify_core::transport::Transport;
use notify_http::{HttpBuildError, HttpTransport};

use crate::receiver::{Answer, Names, Receiver, loopback, request};

#[tokio::test]
async fn a_name_that_leads_to_an_opened_range_works_over_plain_http() {
    let receiver = Receiver::always(Answer::status(200)).await;
    let port = receiver.address.port();
    for host in ["hooks.example.com", "localhost", "redis"] {
        let transport = loopback().resolver(Names::answering(&[&["127.0.0.1"]])).build().unwrap();
        let url = format!("http://{host}:{port}/");
        transport.check(&url).unwrap();
        assert_eq!(transport.send(request(url.as_str())).await.unwrap().status, 200);
    }
    assert_eq!(receiver.requests()[0].lines("host"), [format!("hooks.example.com:{port}")]);
}

#[tokio::test]
async fn the_system_resolver_knows_localhost() {
    let receiver = Receiver::always(Answer::status(200)).await;
    let url = format!("http://localhost:{}/", receiver.address.port());
    let response = loopback().build().unwrap().send(request(url)).await.unwrap();
    assert_eq!((response.status, response.peer), (200, Some(receiver.address.ip())));
}

#[tokio::test]
async fn an_allowed_host_leads_inside_over_plain_http_and_no_other_name_or_address_does() {
    let receiver = Receiver::always(Answer::status(200)).await;
    let port = receiver.address.port();
    let names = Names::answering(&[&["127.0.0.1"]]);
    let transport = HttpTransport::builder().allow_host("Billing.Corp.Internal").resolver(names).build().unwrap();
    let url = format!("http://billing.corp.internal:{port}/");
    transport.check(&url).unwrap();
    assert_eq!(transport.send(request(url.as_str())).await.unwrap().status, 200);
    for host in ["x.billing.corp.internal", "corp.internal", "hooks.example.com", "127.0.0.1", "localhost"] {
        for scheme in ["http", "https"] {
            let failure = transport.send(request(format!("{scheme}://{host}:{port}/"))).await.unwrap_err();
            assert_eq!(failure.reason, Reason::AddressRefused, "{scheme}://{host}");
        }
    }
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn a_denied_host_or_range_is_refused_also_where_all_is_open() {
    let receiver = Receiver::always(Answer::status(200)).await;
    let port = receiver.address.port();
    let open = || loopback().resolver(Names::answering(&[&["127.0.0.1"]]));
    let url = format!("http://in.acme.com:{port}/");
    assert_eq!(open().build().unwrap().send(request(url.as_str())).await.unwrap().status, 200);
    for shut in [open().deny_host("acme.com"), open().deny_cidr("127.0.0.1")] {
        let failure = shut.build().unwrap().send(request(url.as_str())).await.unwrap_err();
        assert_eq!(failure.reason, Reason::AddressRefused);
    }
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn mixed_answers_refuse_the_name_before_any_connection() {
    let receiver = Receiver::always(Answer::status(200)).await;
    let url = format!("http://hooks.example.com:{}/", receiver.address.port());
    for answer in [["127.0.0.1", "10.0.0.1"], ["10.0.0.1", "127.0.0.1"], ["127.0.0.1", "::ffff:127.0.0.1"]] {
        let transport = loopback().resolver(Names::answering(&[&answer])).build().unwrap();
        let failure = transport.send(request(url.as_str())).await.unwrap_err();
        assert_eq!(failure.reason, Reason::AddressRefused, "{answer:?}");
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn public_names_that_lead_inside_are_refused_by_a_shut_guard() {
    let receiver = Receiver::always(Answer::status(200)).await;
    let url = format!("https://hooks.example.com:{}/", receiver.address.port());
    for answer in ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "0.0.0.0"]
    {
        let transport = HttpTransport::builder().resolver(Names::answering(&[&[answer]])).build().unwrap();
        transport.check(&url).unwrap();
        let failure = transport.send(request(url.as_str())).await.unwrap_err();
        assert_eq!(failure.reason, Reason::AddressRefused, "{answer}");
        assert_eq!(failure.peer.unwrap().to_string(), answer, "the operator learns which");
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn plain_http_never_goes_to_a_public_address() {
    let transport = loopback().resolver(Names::answering(&[&["8.8.8.8"]])).build().unwrap();
    for url in ["http://hooks.example.com/", "https://localhost/", "https://redis/"] {
        assert_eq!(transport.send(request(url)).await.unwrap_err().reason, Reason::AddressRefused, "{url}");
    }
}

#[tokio::test]
async fn an_attempt_looks_its_name_up_once_and_a_rebound_answer_is_refused() {
    let receiver = Receiver::always(Answer::status(200)).await;
    let names = Names::answering(&[&["127.0.0.1"], &["10.0.0.1"]]);
    let transport = loopback().resolver(names.clone()).connection_max_age(Duration::ZERO).build().unwrap();
    let url = format!("http://hooks.example.com:{}/", receiver.address.port());
    assert_eq!(transport.send(request(url.as_str())).await.unwrap().status, 200);
    assert_eq!(names.lookups(), 1);
    assert_eq!(transport.send(request(url.as_str())).await.unwrap_err().reason, Reason::AddressRefused);
    assert_eq!((names.lookups(), receiver.connections()), (2, 1));
}

#[tokio::test]
async fn a_connection_past_its_age_is_not_used_again_and_the_new_address_is() {
    let old = Receiver::always(Answer::status(500)).await;
    let moved = format!("127.0.0.2:{}", old.address.port()).parse().unwrap();
    let new = Receiver::start(moved, None, |_| Answer::status(200)).await;
    let names = Names::answering(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let transport = loopback().resolver(names).connection_max_age(Duration::ZERO).build().unwrap();
    let url = format!("http://hooks.example.com:{}/", old.address.port());
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(transport.send(request(url.as_str())).await.unwrap().status);
    }
    assert_eq!(statuses, [500, 200, 200]);
    assert_eq!((old.requests().len(), new.requests().len()), (1, 2));
}

#[tokio::test]
async fn a_dead_address_does_not_hide_a_live_one() {
    let receiver = Receiver::always(Answer::status(200)).await;
    let names = Names::answering(&[&["127.0.0.3", "127.0.0.1"]]);
    let transport = loopback().resolver(names).build().unwrap();
    let url = format!("http://hooks.example.com:{}/", receiver.address.port());
    assert_eq!(transport.send(request(url)).await.unwrap().peer, Some(receiver.address.ip()));
}

#[tokio::test]
async fn a_name_without_an_address_is_a_dns_failure() {
    for names in [Names::default(), Names::answering(&[&[]])] {
        let transport = loopback().resolver(names).build().unwrap();
        let failure = transport.send(request("https://hooks.example.com/")).await.unwrap_err();
        assert_eq!(failure.reason, Reason::Dns);
    }
}

#[test]
fn ranges_that_cannot_be_read_or_never_open_are_told_at_build() {
    for text in ["", "localhost", "10.0.0.0/33", "127.1/8", "http://10.0.0.0/8"] {
        let error = HttpTransport::builder().allow_cidr(text).build().unwrap_err();
        assert!(matches!(error, HttpBuildError::Range { .. }), "{text}: {error}");
    }
    for text in ["169.254.169.254", "fe80::/10", "::ffff:127.0.0.0/104", "fd00:ec2::254/128"] {
        let error = HttpTransport::builder().allow_cidr(text).build().unwrap_err();
        assert!(matches!(error, HttpBuildError::RangeNeverOpens { .. }), "{text}: {error}");
    }
    // Wider than the row at its beginning, with nothing to open behind it.
    let error = HttpTransport::builder().allow_cidr("100::/16").build().unwrap_err();
    assert!(matches!(error, HttpBuildError::RangeNeverOpens { .. }), "{error}");
    let error = HttpTransport::builder().allow_cidr("64:ff9b::/47").build().unwrap_err();
    assert!(matches!(error, HttpBuildError::RangeNeedsOption { .. }), "{error}");
    for text in ["e000::/3", "fe80::/9", "0.0.0.0/0", "169.254.0.0/15", "192.0.0.192/31"] {
        assert!(HttpTransport::builder().allow_cidr(text).build().is_ok(), "{text}");
    }
    assert!(HttpTransport::builder().allow_private_networks().build().is_ok());
    let error = HttpTransport::builder().connections_per_host(0).build().unwrap_err();
    assert!(matches!(error, HttpBuildError::ZeroLimit { .. }), "{error}");
}
