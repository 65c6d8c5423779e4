//! An app with the endpoints of the examples, in the process of the tests.

use std::{collections::HashMap, net::SocketAddr, time::Duration};

use axum::{
    Router,
    extract::{Query, RawQuery, State},
    http::StatusCode,
    routing::{get, post},
};
use serde_json::json;
use sse_axum::{
    EventId, EventType, FiniteReplayer, Hub, Joe, LastEventId, Message, Sse, SseError,
    Subscription, Topics,
};
use tokio::{net::TcpListener, runtime::Runtime, time};

/// Ends with its runtime.
pub(crate) struct App {
    pub(crate) address: SocketAddr,
    _runtime: Runtime,
}

impl App {
    pub(crate) fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let joe = Joe::builder().replayer(FiniteReplayer::new(1_000));
        let hub = Hub::new(joe.build());
        runtime.spawn(tick(hub.clone()));
        let app = Router::new()
            .route("/events", get(events))
            .route("/publish", post(publish))
            .with_state(hub);
        runtime.spawn(axum::serve(listener, app).into_future());
        Self {
            address,
            _runtime: runtime,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

async fn events(
    State(hub): State<Hub>,
    LastEventId(last): LastEventId,
    RawQuery(query): RawQuery,
) -> Result<Sse, SseError> {
    let topics = Topics::from_query(query.as_deref());
    let subscription = Subscription::to(topics).resume_from(last);
    Ok(Sse(hub.subscribe(subscription).await?))
}

async fn publish(
    State(hub): State<Hub>,
    RawQuery(query): RawQuery,
    Query(fields): Query<HashMap<String, String>>,
    data: String,
) -> (StatusCode, String) {
    let mut message = Message::data(data);
    if let Some(id) = fields.get("id") {
        let Ok(id) = EventId::try_from(id.as_str()) else {
            let error = json!({ "error": "no id has line breaks\u{1b}[m" });
            return (StatusCode::BAD_REQUEST, error.to_string());
        };
        message = message.id(id);
    }
    if let Some(event) = fields.get("event") {
        message = message.event(EventType::try_from(event.as_str()).unwrap());
    }
    let topics = Topics::from_query(query.as_deref());
    let id = hub.publish(message, topics).await.unwrap().id;
    let answer = json!({ "id": id.map(String::from) });
    (StatusCode::ACCEPTED, answer.to_string())
}

/// A message on topic `ticks`, a hundred times a second.
async fn tick(hub: Hub) {
    for n in 0_u64.. {
        let message = Message::data(n.to_string());
        hub.publish(message, "ticks").await.unwrap();
        // pace: events for all who listen
        time::sleep(Duration::from_millis(10)).await;
    }
}
