//! `--dashboard`.

use crate::fixture::Folder;
use crate::http::request;

#[tokio::test]
async fn with_dashboard_the_pages_show_what_the_api_was_given_and_without_it_there_are_none() {
    let folder = Folder::new();
    let host = folder.host(&["--dashboard"]).await;
    // Takes connections and never answers.
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    host.endpoint("crm-canary", &format!("http://{}/hook", silent.local_addr().unwrap())).await;
    let event = host.publish().await;
    for (path, shown) in [("/notify", "healthy"), ("/notify/webhooks", "crm-canary"), ("/notify/logs/", event.as_str())]
    {
        let page = request(&host.address, &format!("GET {path}"), b"").await;
        assert!(page.status == 200 && page.text.contains(shown), "{path} lacks {shown}: {page:?}");
    }
    host.stop().await;

    let host = folder.host(&[]).await;
    assert_eq!(request(&host.address, "GET /notify/", b"").await.status, 404);
    host.stop().await;
}
