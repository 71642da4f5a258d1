//! The dashboard behind a login, as `login` mounts it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

#[tokio::test]
async fn strangers_are_sent_to_the_login_and_a_viewer_may_not_do_what_an_admin_may() {
    let (_child, address) = start().await;
    let sent_away = ask(&address, "GET /settings/notify/webhooks", "", "").await;
    assert!(sent_away.starts_with("HTTP/1.1 303") && sent_away.contains("location: /login"), "{sent_away}");
    assert!(ask(&address, "POST /login", "", "name=ana&password=vic-demo").await.starts_with("HTTP/1.1 401"));

    for (name, create, offered) in [("ana", "HTTP/1.1 201", true), ("vic", "HTTP/1.1 403", false)] {
        let signed_in = ask(&address, "POST /login", "", &format!("name={name}&password={name}-demo")).await;
        let cookie = signed_in.split("set-cookie: ").nth(1).and_then(|rest| rest.split(';').next()).expect("a session");
        let list = ask(&address, "GET /settings/notify/webhooks", cookie, "").await;
        assert!(list.starts_with("HTTP/1.1 200") && list.contains(&format!("<bdi>{name}</bdi>")), "{list}");
        assert_eq!(list.contains("New webhook"), offered, "{name}: {list}");
        let form = "name=crm&url=https%3A%2F%2Fcrm.example.com%2Fhook";
        let created = ask(&address, "POST /settings/notify/webhooks", cookie, form).await;
        assert!(created.starts_with(create), "{name}: {created}");
    }
}

async fn start() -> (Child, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_login"));
    let mut child = command.arg("0").stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
    let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next()).expect("its address");
    (child, address.to_owned())
}

async fn ask(address: &str, line: &str, cookie: &str, form: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{line} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncookie: {cookie}\r\nsec-fetch-site: same-origin\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
        form.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
