//! The network guard's vectors against the running host: each refused with a reason that its caller can use, none
//! stored.

use serde_json::{Value, json};

use crate::fixture::{Folder, text};

fn vectors(list: &str) -> Vec<Value> {
    let vectors: Value = serde_json::from_str(include_str!("../../../notify-http/tests/vectors/ssrf.json")).unwrap();
    vectors[list].as_array().unwrap().clone()
}

#[tokio::test]
async fn every_vector_is_refused_at_registration_with_a_clear_message_and_nothing_is_stored() {
    let folder = Folder::new();
    let host = folder.guarded_host().await;
    let vectors = vectors("refused");
    assert!(vectors.len() >= 400, "{}", vectors.len());
    for vector in &vectors {
        let (url, code) = (text(&vector["url"]), text(&vector["register"]));
        let answer = host.call("POST /endpoints", json!({ "name": "a", "url": url })).await;
        assert_eq!(answer.error(), (422, code.clone(), Some("url".into())), "{url:?}");
        let error = &answer.json()["error"];
        let message = text(&error["message"]);
        assert!(message.starts_with("url ") && message.ends_with(&format!("({code})")), "{url:?}: {message}");
        assert!(!message.contains('\n') && !message.contains("secret"), "{url:?}: {message}");
        if code == "NTF-URL-PRIVATE" {
            let names_why = message.contains(" is ") || message.contains(" are ");
            assert!(message.contains("refused: ") && names_why, "{url:?}: {message}");
        }
    }
    assert_eq!(host.get("/endpoints").await["endpoints"], json!([]));
}

#[tokio::test]
async fn no_vector_replaces_the_url_of_an_endpoint() {
    let folder = Folder::new();
    let host = folder.guarded_host().await;
    let endpoint = host.endpoint("crm", "https://crm.example.com/hook").await;
    let line = format!("PATCH /endpoints/{}", text(&endpoint["id"]));
    for vector in vectors("refused") {
        let answer = host.call(&line, json!({ "url": vector["url"] })).await;
        assert_eq!(answer.error(), (422, text(&vector["register"]), Some("url".into())), "{}", vector["url"]);
    }
    assert_eq!(host.get("/endpoints").await["endpoints"][0]["url"], "https://crm.example.com/hook");
}

#[tokio::test]
async fn every_control_is_registered_as_it_was_written() {
    let folder = Folder::new();
    let host = folder.guarded_host().await;
    for vector in vectors("accepted") {
        let url = text(&vector["url"]);
        assert_eq!(host.endpoint("a", &url).await["url"], url.as_str(), "{}", vector["form"]);
    }
}
