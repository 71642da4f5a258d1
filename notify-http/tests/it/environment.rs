//! Nothing is taken from the environment.

use std::process::Command;

use crate::receiver::{Answer, Receiver, ask};

const URL: &str = "NOTIFY_TEST_URL";

/// Runs itself again with the variables set, since they belong to a whole process.
#[tokio::test]
async fn proxies_of_the_environment_are_ignored() {
    if let Ok(url) = std::env::var(URL) {
        assert_eq!(ask(url).await.unwrap().status, 200);
        return;
    }
    let receiver = Receiver::always(Answer::status(200)).await;
    let proxy = Receiver::always(Answer::status(502)).await;
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "environment::proxies_of_the_environment_are_ignored"]);
    child.env(URL, receiver.url("/"));
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        child.env(name, proxy.url("/"));
    }
    child.env_remove("NO_PROXY").env_remove("no_proxy");
    let output = tokio::task::spawn_blocking(move || child.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!((receiver.requests().len(), proxy.connections()), (1, 0));
}
