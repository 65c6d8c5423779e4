//! Functions that are called with events.

use std::sync::{Arc, Mutex, OnceLock};

use sse_client::{Callback, Closed, Event, EventSource, Handle};

use super::{
    log::{closed, follow, get, next_event},
    memory::{Answer, Memory, Part},
    scripted::{Script, Server},
};

const EVENTS: &str = "data: 1\n\n\
    event: tick\ndata: 2\n\n\
    event: message\ndata: 3\n\n\
    event: Tick\ndata: 4\n\n\
    data: 5\n\n";

/// The calls in their order.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<String>>>);

impl Calls {
    fn note(&self, name: &str) -> impl FnMut(&Event) + Send + 'static {
        let (calls, name) = (self.clone(), name.to_owned());
        move |event| calls.add(&name, event)
    }

    fn add(&self, name: &str, event: &Event) {
        let call = format!("{name} {}", event.data);
        self.0.lock().unwrap().push(call);
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// A source of the events, and of nothing more.
fn source() -> EventSource {
    Memory::new([Answer::Stream(vec![Part::Bytes(EVENTS)])]).source()
}

#[tokio::test(start_paused = true)]
async fn callbacks_are_called_by_type_and_in_the_order_of_their_subscriptions() {
    let (source, calls) = (source(), Calls::default());
    source.handle().on_any(calls.note("any"));
    source.handle().on_message(calls.note("message"));
    source.handle().on_event("tick", calls.note("tick"));
    source.handle().on_event("message", calls.note("by name"));
    source.handle().on_any(calls.note("last"));
    source
        .handle()
        .on_event("", calls.note("nothing is called so"));
    assert!(matches!(closed(source).await, Closed::Stopped));
    assert_eq!(
        calls.all(),
        [
            "any 1",
            "message 1",
            "by name 1",
            "last 1",
            "any 2",
            "tick 2",
            "last 2",
            "any 3",
            "message 3",
            "by name 3",
            "last 3",
            "any 4",
            "last 4",
            "any 5",
            "message 5",
            "by name 5",
            "last 5",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn callbacks_are_called_before_the_event_is_returned() {
    let (mut source, calls) = (source(), Calls::default());
    source.handle().on_any(calls.note("any"));
    assert_eq!(next_event(&mut source).await, "[] message: 1");
    assert_eq!(calls.all(), ["any 1"]);
    assert_eq!(next_event(&mut source).await, "[] tick: 2");
    assert_eq!(calls.all(), ["any 1", "any 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_callback_is_unsubscribed_from_outside() {
    let (mut source, calls) = (source(), Calls::default());
    let callback = source.handle().on_any(calls.note("any"));
    source.handle().on_any(calls.note("other"));
    next_event(&mut source).await;
    callback.unsubscribe();
    callback.unsubscribe();
    next_event(&mut source).await;
    assert_eq!(calls.all(), ["any 1", "other 1", "other 2"]);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_callback_does_not_unsubscribe() {
    let (source, calls) = (source(), Calls::default());
    drop(source.handle().on_message(calls.note("message")));
    closed(source).await;
    assert_eq!(calls.all(), ["message 1", "message 3", "message 5"]);
}

#[tokio::test(start_paused = true)]
async fn a_callback_unsubscribes_itself() {
    let (source, calls) = (source(), Calls::default());
    let this = Arc::new(OnceLock::<Callback>::new());
    let (own, noted) = (Arc::clone(&this), calls.clone());
    let callback = source.handle().on_any(move |event| {
        noted.add("once", event);
        own.get().unwrap().unsubscribe();
    });
    this.set(callback).unwrap();
    source.handle().on_any(calls.note("other"));
    closed(source).await;
    assert_eq!(
        calls.all(),
        [
            "once 1", "other 1", "other 2", "other 3", "other 4", "other 5"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_callback_unsubscribes_another_which_is_not_even_called_with_this_event() {
    let (source, calls) = (source(), Calls::default());
    let later = Arc::new(OnceLock::<Callback>::new());
    let before = source.handle().on_any(calls.note("before"));
    let (others, noted) = (Arc::clone(&later), calls.clone());
    source.handle().on_any(move |event| {
        noted.add("this", event);
        before.unsubscribe();
        others.get().unwrap().unsubscribe();
    });
    later
        .set(source.handle().on_any(calls.note("after")))
        .unwrap();
    closed(source).await;
    assert_eq!(
        calls.all(),
        ["before 1", "this 1", "this 2", "this 3", "this 4", "this 5"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_callback_subscribes_another_which_is_called_from_the_next_event_on() {
    let (source, calls) = (source(), Calls::default());
    let (handle, noted) = (source.handle().clone(), calls.clone());
    source.handle().on_event("tick", move |_| {
        handle.on_any(noted.note("new"));
    });
    closed(source).await;
    assert_eq!(calls.all(), ["new 3", "new 4", "new 5"]);
}

#[tokio::test(start_paused = true)]
async fn after_a_callback_has_closed_no_other_is_called() {
    let (source, calls) = (source(), Calls::default());
    source.handle().on_any(calls.note("before"));
    let handle = source.handle().clone();
    source.handle().on_event("tick", move |_| handle.close());
    source.handle().on_any(calls.note("after"));
    assert!(matches!(closed(source).await, Closed::ByClient));
    assert_eq!(calls.all(), ["before 1", "after 1", "before 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_callback_that_panics_harms_only_its_own_event() {
    let (mut source, calls) = (source(), Calls::default());
    source.handle().on_event("tick", |_| panic!("on purpose"));
    source.handle().on_any(calls.note("any"));
    next_event(&mut source).await;
    let panicked = tokio::spawn(async move {
        let event = std::panic::AssertUnwindSafe(source.next_event());
        let caught = futures_util::FutureExt::catch_unwind(event).await;
        assert!(caught.is_err());
        source
    });
    let mut source = panicked.await.unwrap();
    assert_eq!(next_event(&mut source).await, "[] message: 3");
    assert_eq!(calls.all(), ["any 1", "any 3"]);
}

/// Adds a callback that owns a handle to its source and something that is watched.
fn own_a_handle(handle: &Handle, watched: &Arc<()>) {
    let (own, watched) = (handle.clone(), Arc::clone(watched));
    handle.on_any(move |_| {
        let _ = (&own, &watched);
    });
}

#[tokio::test(start_paused = true)]
async fn a_callback_that_owns_its_handle_goes_when_the_source_is_dropped() {
    let watched = Arc::new(());
    let source = source();
    own_a_handle(source.handle(), &watched);
    assert_eq!(Arc::strong_count(&watched), 2);
    drop(source);
    assert_eq!(Arc::strong_count(&watched), 1);
}

#[tokio::test(start_paused = true)]
async fn a_callback_that_owns_its_handle_goes_when_the_source_ends() {
    let watched = Arc::new(());
    let mut source = source();
    own_a_handle(source.handle(), &watched);
    follow(&mut source).await;
    assert_eq!(Arc::strong_count(&watched), 1);
}

#[tokio::test(start_paused = true)]
async fn a_callback_that_is_added_after_the_end_goes_at_once() {
    let watched = Arc::new(());
    let mut source = source();
    let handle = source.handle().clone();
    follow(&mut source).await;
    own_a_handle(&handle, &watched);
    assert_eq!(Arc::strong_count(&watched), 1, "after the end");
    let source = self::source();
    let handle = source.handle().clone();
    drop(source);
    own_a_handle(&handle, &watched);
    drop(handle);
    assert_eq!(Arc::strong_count(&watched), 1, "after the drop");
}

#[tokio::test(start_paused = true)]
async fn an_unsubscribed_callback_is_dropped_at_once_even_if_its_drop_unsubscribes_another() {
    struct Unsubscribes(Callback, Arc<()>);
    impl Drop for Unsubscribes {
        fn drop(&mut self) {
            self.0.unsubscribe();
        }
    }
    let watched = Arc::new(());
    let (source, calls) = (source(), Calls::default());
    let other = source.handle().on_any(calls.note("other"));
    let guard = Unsubscribes(other, Arc::clone(&watched));
    let callback = source.handle().on_any(move |_| {
        let Unsubscribes(_, _watched) = &guard;
    });
    callback.unsubscribe();
    assert_eq!(Arc::strong_count(&watched), 1);
    closed(source).await;
    assert!(calls.all().is_empty(), "the guard has unsubscribed it");
}

#[tokio::test]
async fn callbacks_are_called_over_all_connections() {
    let server = Server::start([
        Script::events("data: 1\n\n"),
        Script::stream().chunk("data: 2\n\n").cut(),
        Script::events("event: tick\ndata: 3\n\n"),
    ])
    .await;
    let (source, calls) = (get(server.url("/")), Calls::default());
    source.handle().on_any(calls.note("any"));
    closed(source).await;
    assert_eq!(calls.all(), ["any 1", "any 2", "any 3"]);
}

#[tokio::test]
async fn callbacks_may_be_added_by_another_task() {
    let server = Server::start([Script::stream().gate().chunk("data: 1\n\n").end()]).await;
    let (mut source, calls) = (get(server.url("/")), Calls::default());
    let (handle, noted) = (source.handle().clone(), calls.clone());
    let adding = tokio::spawn(async move {
        handle.on_message(noted.note("message"));
    });
    adding.await.unwrap();
    server.go();
    follow(&mut source).await;
    assert_eq!(calls.all(), ["message 1"]);
}

#[tokio::test]
async fn callbacks_for_openings_and_comments_are_called() {
    let server = Server::start([
        Script::events(": one\n\ndata: a\n\n:two\n"),
        Script::events("data: b\n\n"),
    ])
    .await;
    let source = get(server.url("/"));
    let (sender, calls) = std::sync::mpsc::channel();
    let handle = source.handle();
    let (opened, commented) = (sender.clone(), sender.clone());
    handle.on_open(move |open| {
        opened
            .send(format!("open {}", open.status.as_u16()))
            .unwrap();
    });
    let callback = handle.on_comment(move |text| commented.send(format!(": {text}")).unwrap());
    handle.on_any(move |event| {
        sender.send(event.data.clone()).unwrap();
        if event.data == "b" {
            callback.unsubscribe();
        }
    });
    closed(source).await;
    let calls: Vec<_> = calls.try_iter().collect();
    assert_eq!(calls, ["open 200", ": one", "a", ": two", "open 200", "b"]);
}

#[tokio::test]
async fn comments_are_updates_if_they_are_wanted() {
    let server = Server::start([Script::events(": one\n\ndata: a\n\n:two\n")]).await;
    let log = follow(&mut get(server.url("/")).comments(true)).await;
    let expected = ["connecting", "open", ": one", "[] message: a", ": two"];
    assert_eq!(log[..5], expected);
}
