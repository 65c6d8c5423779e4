//! The header fairing sees every response of an instance; most are no streams.

use rocket::{get, http::ContentType, local::asynchronous::Client, routes, tokio::fs::File};
use sse_rocket::SseHeaders;

#[get("/nothing")]
fn nothing() {}

#[get("/file")]
async fn file() -> Option<File> {
    File::open("Cargo.toml").await.ok()
}

#[get("/typed")]
fn typed() -> (ContentType, &'static str) {
    (ContentType::EventStream, "data: own\n\n")
}

#[rocket::async_test]
async fn only_streams_are_completed() {
    let app = rocket::build()
        .attach(SseHeaders)
        .mount("/", routes![nothing, file, typed]);
    let client = Client::untracked(app).await.unwrap();
    for path in ["/nothing", "/file", "/missing"] {
        let response = client.get(path).dispatch().await;
        let headers = response.headers();
        assert_eq!(headers.get_one("cache-control"), None, "{path}");
        assert_ne!(
            response.content_type(),
            Some(ContentType::EventStream),
            "{path}"
        );
    }
    let response = client.get("/typed").dispatch().await;
    let headers = response.headers();
    let caching = headers.get_one("cache-control");
    assert_eq!(caching, Some("no-cache, no-transform"));
    assert_eq!(response.content_type(), Some(ContentType::EventStream));
}
