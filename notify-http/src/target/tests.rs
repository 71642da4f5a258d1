use proptest::prelude::*;

use super::*;
use crate::guard::tests::opening;
use crate::guard::{GuardOptions, Verdict};

fn shut() -> Guard {
    Guard::default()
}

fn loopback() -> Guard {
    opening(&["127.0.0.0/8", "::1/128"])
}

fn code(text: &str, guard: &Guard) -> &'static str {
    match Target::read(text, guard) {
        Ok(target) => panic!("{text:?} was taken as {}", target.uri),
        Err(error) => error.code(),
    }
}

#[test]
fn urls_that_can_never_be_delivered_to_are_refused() {
    for (text, expected) in [
        ("ftp://h/x", "NTF-URL-SCHEME"),
        ("file:///etc/hosts", "NTF-URL-SCHEME"),
        ("javascript:alert(1)", "NTF-URL-SCHEME"),
        ("https://", "NTF-URL-HOST"),
        ("http:///p", "NTF-URL-HOST"),
        ("https:///h/x", "NTF-URL-HOST"),
        ("https:h.example.com/x", "NTF-URL-SCHEME"),
        ("//h/x", "NTF-URL-SCHEME"),
        ("h/x", "NTF-URL-SCHEME"),
        ("https://h.example.com/x\n", "NTF-URL-CHARACTER"),
        (" https://h.example.com/x", "NTF-URL-CHARACTER"),
        ("https://h.example.com:0/", "NTF-URL-PORT"),
        ("https://h.example.com:99999/", "NTF-URL-PORT"),
        ("https://h.example.com:/", "NTF-URL-PORT"),
        ("https://h.example.com:22/", "NTF-URL-PORT"),
        ("https://h.example.com:6379/", "NTF-URL-PORT"),
        ("https://h.example.com/x#frag", "NTF-URL-FRAGMENT"),
        ("https://h.example.com/a b", "NTF-URL-CHARACTER"),
        ("https://h.example.com\\@evil/", "NTF-URL-CHARACTER"),
        ("https://user:canary@h.example.com/", "NTF-URL-USERINFO"),
        ("https://@h.example.com/", "NTF-URL-USERINFO"),
        ("https://%6c%6fcalhost/", "NTF-URL-HOST"),
        ("https://h.example.com./", "NTF-URL-HOST"),
        ("https://h..example.com/", "NTF-URL-HOST"),
        ("https://-h.example.com/", "NTF-URL-HOST"),
        ("https://256.1.1.1/", "NTF-URL-HOST"),
        ("https://1.2.3.4.5/", "NTF-URL-HOST"),
        ("https://[fe80::1%25eth0]/", "NTF-URL-HOST"),
        ("https://[v1.x]/", "NTF-URL-HOST"),
        ("http://h.example.com/", "NTF-URL-SCHEME"),
        ("", "NTF-URL"),
    ] {
        assert_eq!(code(text, &shut()), expected, "{text:?}");
    }
    let long = format!("https://h.example.com/{}", "a".repeat(10_000));
    assert_eq!(code(&long, &shut()), "NTF-URL-LENGTH");
    let long = format!("https://{}.com/", "a".repeat(64));
    assert_eq!(code(&long, &shut()), "NTF-URL-HOST");
}

#[test]
fn no_spelling_of_an_inside_address_is_taken() {
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0X7F.1",
        "0177.0.0.1",
        "017700000001",
        "0.0.0.0",
        "0",
        "127.0.0.1.",
        "localhost",
        "localhost.",
        "LOCALHOST",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:7f00:1]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fd00::1]",
        "[0:0:0:0:0:0:0:1]",
        "169.254.169.254",
        "10.0.0.1",
        "100.64.0.1",
        "192.168.1.1",
        "１２７.0.0.1",
        "①②⑦.0.0.1",
        "127。0。0。1",
        "redis",
        "db.internal",
        "metadata.google.internal",
        "metadata.goog",
        "printer.local",
        "kubernetes.default.svc",
        "h.test",
    ] {
        let text = format!("https://{host}/hook");
        let code = code(&text, &shut());
        assert!(["NTF-URL-HOST", "NTF-URL-PRIVATE"].contains(&code), "{host}: {code}");
    }
}

#[test]
fn unusual_spellings_stay_refused_where_their_address_is_opened() {
    for host in ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1.", "[0:0:0:0:0:0:0:1]", "１２７.0.0.1"]
    {
        assert_eq!(code(&format!("http://{host}/"), &loopback()), "NTF-URL-HOST", "{host}");
    }
    for host in ["[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1", "metadata.google.internal"] {
        assert_eq!(code(&format!("https://{host}/"), &loopback()), "NTF-URL-PRIVATE", "{host}");
    }
}

#[test]
fn plain_http_is_taken_to_an_opened_literal_or_a_name_and_not_to_a_public_literal() {
    for text in ["http://127.0.0.1:40000/", "http://[::1]:40000/", "http://localhost:40000/", "http://h.example.com/"] {
        assert!(Target::read(text, &loopback()).is_ok(), "{text}");
    }
    assert_eq!(code("http://8.8.8.8/", &loopback()), "NTF-URL-SCHEME");
    assert_eq!(code("http://10.0.0.1/", &loopback()), "NTF-URL-PRIVATE");
}

#[test]
fn public_urls_are_taken_and_their_scheme_and_host_normalised() {
    for (text, uri, origin) in [
        ("HTTPS://H.Example.COM/X", "https://h.example.com/X", "https://h.example.com"),
        ("https://h.example.com", "https://h.example.com/", "https://h.example.com"),
        ("https://h.example.com:443/", "https://h.example.com/", "https://h.example.com"),
        ("https://h.example.com:8443?a", "https://h.example.com:8443/?a", "https://h.example.com:8443"),
        (
            "https://bücher.example.com/ü",
            "https://xn--bcher-kva.example.com/%C3%BC",
            "https://xn--bcher-kva.example.com",
        ),
        ("https://a_b.example.com/", "https://a_b.example.com/", "https://a_b.example.com"),
        ("https://8.8.8.8/", "https://8.8.8.8/", "https://8.8.8.8"),
        ("https://[2606:4700::1111]:8443/", "https://[2606:4700::1111]:8443/", "https://[2606:4700::1111]:8443"),
    ] {
        let target = Target::read(text, &shut()).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((target.uri.to_string().as_str(), &*target.origin), (uri, origin), "{text}");
    }
}

#[test]
fn options_narrow_what_is_taken_and_say_so() {
    let guard = GuardOptions {
        denied_hosts: vec!["acme.com".into()],
        denied_ranges: vec!["8.8.8.0/24".into()],
        ports: Some(vec![443, 9200]),
        ..GuardOptions::default()
    };
    let guard = guard.build().unwrap();
    for (text, expected) in [
        ("https://in.acme.com/", "NTF-URL-DENIED"),
        ("https://8.8.8.8/", "NTF-URL-DENIED"),
        ("https://h.example.com:8443/", "NTF-URL-PORT"),
        ("https://10.0.0.1/", "NTF-URL-PRIVATE"),
    ] {
        assert_eq!(code(text, &guard), expected, "{text}");
    }
    for text in ["https://h.example.com/", "https://h.example.com:9200/", "https://8.8.4.4/"] {
        assert!(Target::read(text, &guard).is_ok(), "{text}");
    }
    let names_only = GuardOptions { refuses_literals: true, ..GuardOptions::default() }.build().unwrap();
    assert_eq!(code("https://8.8.4.4/", &names_only), "NTF-URL-LITERAL");
    assert!(Target::read("https://h.example.com/", &names_only).is_ok());
}

#[test]
fn an_allowed_host_is_taken_over_http_and_nothing_else_is() {
    let guard = GuardOptions { allowed_hosts: vec!["db.internal".into()], ..GuardOptions::default() };
    let guard = guard.build().unwrap();
    for text in ["http://db.internal/", "https://DB.internal:8443/"] {
        assert!(Target::read(text, &guard).is_ok(), "{text}");
    }
    assert_eq!(code("http://h.example.com/", &guard), "NTF-URL-SCHEME");
    assert_eq!(code("http://10.0.0.1/", &guard), "NTF-URL-SCHEME");
    assert_eq!(code("https://10.0.0.1/", &guard), "NTF-URL-PRIVATE");
    assert_eq!(code("https://x.db.internal/", &guard), "NTF-URL-PRIVATE");
}

#[test]
fn path_and_query_stay_byte_for_byte() {
    for tail in [
        "/a%2Fb/?p=1&q=a%3Ab&q=a+b&t=Q%2BHG%3D&e=&f&u=%E2%82%AC",
        "/a//b/../c/./%2e%2e/",
        "/?'quoted'=it's;a|b",
        "/?",
        "/%zz?%",
    ] {
        let target = Target::read(&format!("https://h.example.com:8443{tail}"), &shut()).unwrap();
        assert_eq!(target.uri.path_and_query().unwrap().as_str(), tail);
    }
}

#[test]
fn what_http_cannot_carry_is_percent_encoded_and_the_rest_stays() {
    for (tail, sent) in [
        ("/ü/../%7e//x?q=é&z=it's%20", "/%C3%BC/../%7e//x?q=%C3%A9&z=it's%20"),
        ("?名=1", "/?%E5%90%8D=1"),
        ("/a<b>`{c}\"", "/a%3Cb%3E%60%7Bc%7D%22"),
        ("/❤\u{fe0f}", "/%E2%9D%A4%EF%B8%8F"),
    ] {
        let target = Target::read(&format!("https://h.example.com{tail}"), &shut()).unwrap();
        assert_eq!(target.uri.path_and_query().unwrap().as_str(), sent);
        let again = Target::read(&target.uri.to_string(), &shut()).unwrap();
        assert_eq!(again.uri, target.uri, "{tail}");
    }
}

#[test]
fn a_refusal_shows_neither_query_nor_user_info() {
    for text in [
        "https://canary:canary@h.example.com/?canary",
        "https://10.0.0.1/canary?canary",
        "https://h.example.com:0/canary?canary",
        "ftp://h/canary",
        "https://localhost/?canary#canary",
    ] {
        let error = Target::read(text, &shut()).unwrap_err();
        assert!(!format!("{error:#} {error:?}").contains("canary"), "{error:#}");
    }
}

#[test]
fn a_refused_address_is_named_with_its_reason_and_the_way_out() {
    let error = Target::read("https://10.0.0.5/hook", &shut()).unwrap_err();
    assert_eq!(error.to_string(), "url refused: address 10.0.0.5 is private (RFC 1918) (NTF-URL-PRIVATE)");
    assert!(error.help().unwrap().contains("allow_private_networks"));
    let error = Target::read("https://h.example.com./", &shut()).unwrap_err();
    assert_eq!(error.to_string(), "url has a host that ends in a dot (NTF-URL-HOST)");
}

proptest! {
    #[test]
    fn any_text_is_judged_without_a_panic_and_what_is_taken_is_taken_again(text in "(https?://)?[ -~é。\\t]{0,60}") {
        if let Ok(target) = Target::read(&text, &loopback()) {
            let again = Target::read(&target.uri.to_string(), &loopback()).unwrap();
            prop_assert_eq!(again.uri, target.uri);
        }
    }

    #[test]
    fn a_taken_literal_is_an_admitted_address(bits: u32) {
        let ip = std::net::Ipv4Addr::from(bits);
        let taken = Target::read(&format!("https://{ip}/"), &shut()).is_ok();
        prop_assert_eq!(taken, shut().judge(ip.into()) == Verdict::Public);
    }
}
