//! A host that chose no crypto provider: alone in its process, since a provider that a test installs stays.

use notify_store_redis::{OpenError, RedisStore};

#[tokio::test]
async fn tls_without_a_crypto_provider_is_an_error_that_says_what_to_do() {
    for url in ["rediss://localhost:1", "rediss-cluster://localhost:1", "rediss-sentinel://localhost:1/primary"] {
        let error = RedisStore::connect(url).await.unwrap_err();
        assert!(matches!(error, OpenError::NoCryptoProvider), "{url}: {error:?}");
        assert!(error.to_string().contains("install_default()"), "{url}: {error}");
    }
}
