//! Nothing is taken from the environment.

use std::process::Command;

use notify_core::delivery::Reason;
use notify_core::transport::Transport;
use notify_http::testing::{TestAuthority, Validity};

use crate::receiver::{Answer, Receiver, ask, loopback, request};

const URL: &str = "NOTIFY_TEST_URL";
const ROOT: &str = "NOTIFY_TEST_ROOT";
const PROXIES: [&str; 10] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "FTP_PROXY",
    "SOCKS_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "ftp_proxy",
    "socks_proxy",
];

/// This program again, for one test: variables belong to a whole process.
fn again(test: &str) -> Command {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test]).env_remove("NO_PROXY").env_remove("no_proxy");
    child
}

async fn succeeds(mut child: Command) {
    let output = tokio::task::spawn_blocking(move || child.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[tokio::test]
async fn proxies_of_the_environment_are_ignored() {
    if let Ok(url) = std::env::var(URL) {
        assert_eq!(ask(url).await.unwrap().status, 200);
        return;
    }
    let receiver = Receiver::always(Answer::status(200)).await;
    let proxy = Receiver::always(Answer::status(502)).await;
    let alone = PROXIES.iter().map(|name| vec![*name]);
    for (nth, names) in alone.chain([PROXIES.to_vec()]).enumerate() {
        let mut child = again("environment::proxies_of_the_environment_are_ignored");
        child.env(URL, receiver.url("/"));
        for name in &names {
            child.env(name, proxy.url("/"));
        }
        succeeds(child).await;
        assert_eq!((receiver.requests().len(), proxy.connections()), (nth + 1, 0), "{names:?}");
    }
}

#[tokio::test]
async fn roots_and_key_logs_of_the_environment_are_ignored() {
    if let (Ok(url), Ok(root)) = (std::env::var(URL), std::env::var(ROOT)) {
        let failure = ask(url.clone()).await.unwrap_err();
        assert_eq!(failure.reason, Reason::Tls, "{failure}");
        let trusting = loopback().extra_root_pem(root).build().unwrap();
        assert_eq!(trusting.send(request(url)).await.unwrap().status, 200);
        return;
    }
    let root = TestAuthority::root("a root that only the environment trusts").unwrap();
    let config = root.server("127.0.0.1", Validity::Present).unwrap().into_server_config().unwrap();
    let receiver = Receiver::tls(config, Answer::status(200)).await;
    let file = |name: &str| {
        let name = format!("{}-{name}", std::process::id());
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
    };
    let (pem, key_log) = (file("root.pem"), file("keys.log"));
    std::fs::write(&pem, root.pem()).unwrap();
    let mut child = again("environment::roots_and_key_logs_of_the_environment_are_ignored");
    child.env(URL, format!("https://{}/", receiver.address)).env(ROOT, root.pem());
    child.env("SSL_CERT_FILE", &pem).env("SSL_CERT_DIR", env!("CARGO_TARGET_TMPDIR")).env("SSLKEYLOGFILE", &key_log);
    succeeds(child).await;
    std::fs::remove_file(&pem).unwrap();
    assert!(!key_log.exists(), "the keys of a connection were written down");
}
