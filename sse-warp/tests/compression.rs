//! An event stream inside of warp's compressor, where it should not be: it is compressed, but not
//! held back.

use std::{io::Write, net::TcpListener};

use flate2::write::GzDecoder;
use sse_conformance::adapter::{Piece, Server, Stop, Subject};
use sse_warp::{Hub, events};
use warp::Filter;

const SUBJECT: Subject = Subject {
    serve,
    sees_non_utf8_headers: true,
    cuts_off_panics: true,
};

fn serve(listener: TcpListener, hub: Hub, stop: Stop) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let stopped = hub.shutdown_on(stop);
        let app = events(hub, ()).with(warp::filters::compression::gzip());
        warp::serve(app)
            .incoming(listener)
            .graceful(stopped)
            .run()
            .await;
    });
}

#[tokio::test]
async fn events_arrive_one_by_one() {
    let server = Server::start(SUBJECT);
    let mut response = server.client().await.get("/").await;
    assert_eq!(response.header("content-encoding"), Some("gzip"));
    let mut decoder = GzDecoder::new(Vec::new());
    for n in 0..20 {
        server.publish(n, ()).await;
        let end = format!("data: {n}\n\n");
        while !decoder.get_ref().ends_with(end.as_bytes()) {
            match response.body.piece().await {
                Piece::Data(bytes) => decoder.write_all(&bytes).unwrap(),
                other => panic!("{other:?} before {end:?}"),
            }
            decoder.flush().unwrap();
        }
    }
}
