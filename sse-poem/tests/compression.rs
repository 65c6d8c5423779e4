//! poem's compressor, with streams kept out of it.

use poem::{
    Endpoint, EndpointExt, Request, Route, get, handler,
    http::header::{ACCEPT_ENCODING, CONTENT_ENCODING},
    middleware::Compression,
};
use sse_poem::{ExceptStreams, Hub, Joe, events};

#[handler]
fn page() -> &'static str {
    "a page"
}

#[handler]
fn refused() -> poem::Result<()> {
    Err(poem::error::NotFoundError.into())
}

async fn encoding(path: &str) -> (u16, Option<String>) {
    let hub = Hub::new(Joe::new());
    let app = Route::new()
        .at("/page", get(page))
        .at("/refused", get(refused))
        .at("/news", get(events(hub, "news")))
        .with(ExceptStreams(Compression::new()));
    let request = Request::builder()
        .uri(path.parse().unwrap())
        .header(ACCEPT_ENCODING, "gzip")
        .finish();
    let response = app.get_response(request).await;
    let encoding = response.header(CONTENT_ENCODING).map(str::to_owned);
    (response.status().as_u16(), encoding)
}

#[tokio::test]
async fn all_but_streams_is_compressed() {
    assert_eq!(encoding("/page").await, (200, Some("gzip".to_owned())));
    assert_eq!(encoding("/news").await, (200, None));
}

#[tokio::test]
async fn errors_stay_errors() {
    assert_eq!(encoding("/refused").await, (404, None));
}
