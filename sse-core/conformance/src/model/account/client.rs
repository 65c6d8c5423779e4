//! `Client`: a client that does what the `EventSource` of a browser does.

use futures_util::{FutureExt, StreamExt};
use sse_core::{
    OnGap, Overflow, SseBody,
    resume::{Gap, Outcome},
    wire::Decoder,
};
use tokio::sync::oneshot;

use super::{Forgery, Step, Wishes, ledger::Account, server::Server, truth::Stand};
use crate::{OwnedEvent, decode, in_time};

/// A client that does what the `EventSource` of a browser does.
pub(super) struct Client {
    wishes: Wishes,
    /// The last event id as a request carries it; empty if there is none.
    id: Vec<u8>,
    account: Account,
    connection: Option<Connection>,
}

struct Connection {
    body: SseBody,
    decoder: Decoder,
    /// The place where its stream begins, unless its id says that.
    begin: Stand,
    /// The client came without an id.
    is_first: bool,
    /// The first piece has arrived.
    has_opened: bool,
    /// The last event id at the newest `event: gap`.
    told_at: Option<String>,
    /// Asks the stream to end.
    end: Option<oneshot::Sender<()>>,
    /// Once it ends for a reason: the number before which everything is to be delivered.
    ends_after: Option<usize>,
}

impl Client {
    pub(super) fn new(wishes: Wishes) -> Self {
        Self {
            wishes,
            id: Vec::new(),
            account: Account::new(wishes.topics),
            connection: None,
        }
    }

    pub(super) fn id(&self) -> &[u8] {
        &self.id
    }

    pub(super) async fn take(&mut self, step: &Step, server: &mut Server) {
        match step {
            Step::Connect(_) => self.connect(server).await,
            Step::Read(_) => {
                self.connect(server).await;
                self.read(server).await;
            }
            Step::ReadAll(_) => while self.read(server).await {},
            Step::Cut(_) => self.cut(),
            Step::CutWithin(_, place) => self.cut_within(|size| place.index(size), server),
            Step::Forge(_, forgery) => self.adopt(self.forged(forgery, server), server),
            Step::End(_, reads_on) => {
                self.ask_to_end(server);
                if *reads_on {
                    self.read_to_the_end(server).await;
                }
            }
            _ => {}
        }
    }

    /// Connects with its id, if it is not connected.
    pub(super) async fn connect(&mut self, server: &mut Server) {
        if self.connection.is_some() {
            return;
        }
        let Ok(body) = server.subscribe(&self.id, self.wishes).await else {
            // It loads the current state, and comes back as a new client.
            *self = Self::new(self.wishes);
            return;
        };
        let (end, ended) = oneshot::channel();
        let body = body.until(async move {
            // An error says that the connection is gone, and with it the body.
            let _ = ended.await;
        });
        let id = String::from_utf8_lossy(&self.id);
        self.connection = Some(Connection {
            body,
            decoder: Decoder::new().resume_from(id),
            begin: self.begin(server),
            is_first: self.id.is_empty(),
            has_opened: false,
            told_at: None,
            end: Some(end),
            ends_after: None,
        });
    }

    /// Returns the place where its stream begins if it subscribes now and its id means nothing.
    fn begin(&self, server: &Server) -> Stand {
        let Wishes {
            topics,
            from_earliest,
            on_gap,
        } = self.wishes;
        let wants_all = if self.id.is_empty() {
            from_earliest
        } else {
            on_gap == OnGap::Replay
        };
        if wants_all {
            server.truth.earliest(topics, &server.settings)
        } else {
            server.truth.latest(topics)
        }
    }

    /// Loses the connection.
    pub(super) fn cut(&mut self) {
        self.connection = None;
        self.account.forget_told();
    }

    /// Loses the connection in the middle of the next piece, if there is one.
    fn cut_within(&mut self, place: impl FnOnce(usize) -> usize, server: &Server) {
        if let Some(connection) = &mut self.connection
            && let Some(Some(piece)) = connection.body.next().now_or_never()
        {
            let arrived = &piece[..place(piece.len())];
            self.take_in(arrived, server);
        }
        self.cut();
    }

    /// Takes on an id, and counts the messages after that id from then on.
    pub(super) fn adopt(&mut self, id: Vec<u8>, server: &Server) {
        self.cut();
        self.account = Account::new(self.wishes.topics);
        if let Some(stand) = server.truth.stand(&id, self.wishes.topics) {
            self.account.begin(stand.due, stand.is_place);
        }
        self.id = id;
    }

    fn forged(&self, forgery: &Forgery, server: &Server) -> Vec<u8> {
        let invented = |number| format!("invented-{number}").into_bytes();
        match forgery {
            Forgery::Given(index) if !server.truth.ids().is_empty() => {
                index.get(server.truth.ids()).clone().into_bytes()
            }
            Forgery::Unreadable => b"\xff".to_vec(),
            Forgery::Beyond => self.beyond().unwrap_or_else(|| invented(0)),
            Forgery::Invented(number) => invented(u64::from(*number)),
            Forgery::Given(_) | Forgery::Stolen(_) => invented(1),
        }
    }

    /// Returns its id with a position far beyond the end.
    fn beyond(&self) -> Option<Vec<u8>> {
        let (epoch, place) = str::from_utf8(&self.id).ok()?.split_once('-')?;
        let digits = place.find(|c: char| !c.is_ascii_digit());
        let (position, rest) = place.split_at(digits.unwrap_or(place.len()));
        let position: u64 = position.parse().ok()?;
        Some(format!("{epoch}-{}{rest}", position + 1_000_000).into_bytes())
    }

    /// Asks its stream to end.
    fn ask_to_end(&mut self, server: &Server) {
        self.expect_end(server.truth.len());
        let connection = self.connection.as_mut();
        if let Some(end) = connection.and_then(|connection| connection.end.take()) {
            end.send(()).expect("the body waits for it");
        }
    }

    /// Notes that its stream is about to end after all messages before a number.
    pub(super) fn expect_end(&mut self, number: usize) {
        if let Some(connection) = &mut self.connection {
            let before = connection.ends_after.unwrap_or(number);
            connection.ends_after = Some(before.min(number));
        }
    }

    /// Reads on up to the end of its stream.
    pub(super) async fn read_to_the_end(&mut self, server: &mut Server) {
        while let Some(connection) = &mut self.connection {
            let piece = in_time("the end", connection.body.next()).await;
            self.receive(piece.as_deref(), server);
        }
    }

    /// Reads one piece, and waits for it if something is owed. Returns whether there was one.
    async fn read(&mut self, server: &mut Server) -> bool {
        let owed = self.account.owed(server.truth.len(), &server.truth);
        let is_certain = owed.is_some() && !self.skips_in_silence(server);
        let Some(connection) = &mut self.connection else {
            return false;
        };
        let piece = if is_certain || !connection.has_opened {
            in_time("what is owed", connection.body.next()).await
        } else if let Some(piece) = connection.body.next().now_or_never() {
            piece
        } else {
            return false;
        };
        self.receive(piece.as_deref(), server)
    }

    /// Reads until nothing more is owed, and connects again where its stream ends.
    pub(super) async fn settle(&mut self, server: &mut Server) {
        const MOST: usize = 10_000;
        for _ in 0..MOST {
            if self.account.is_settled(server.truth.len()) {
                self.read(server).await;
                return;
            }
            self.connect(server).await;
            if let Some(connection) = &mut self.connection {
                let piece = in_time("the last message", connection.body.next()).await;
                self.receive(piece.as_deref(), server);
            }
        }
        panic!("it connects again and again: {:?}", self.account);
    }

    /// Receives a piece or the end. Returns whether it was a piece.
    fn receive(&mut self, piece: Option<&[u8]>, server: &mut Server) -> bool {
        if let Some(piece) = piece {
            assert!(!piece.is_empty(), "an empty piece would end the response");
            self.take_in(piece, server);
            self.has_received(server);
        } else {
            self.check_end(server);
            self.cut();
        }
        piece.is_some()
    }

    /// Decodes the part of a piece that has arrived.
    fn take_in(&mut self, bytes: &[u8], server: &Server) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        let before = connection.decoder.last_event_id().to_owned();
        for event in decode(&mut connection.decoder, bytes) {
            if event.event == Gap::EVENT.as_str() {
                self.take_gap(event, &mut connection, server);
            } else {
                let skips = self.skips_in_silence(server);
                let number = number(&event.data);
                self.account.enter(number, &server.truth, skips);
            }
        }
        let id = connection.decoder.last_event_id();
        if id != before {
            assert!(!id.is_empty(), "it forgets where it is");
            self.id = id.into();
        }
        if self.account.is_told() && connection.told_at.as_deref() != Some(id) {
            // An id without data: the missing messages were published before it.
            let stand = server.truth.stand(&self.id, self.wishes.topics);
            let [due, ..] = stand.expect("an id of this server").due;
            self.account.pass_over(due);
        }
        self.connection = Some(connection);
    }

    fn take_gap(&mut self, event: OwnedEvent, connection: &mut Connection, server: &Server) {
        let was_told = connection.told_at.replace(event.id).is_some();
        if connection.has_opened {
            let gap = if server.settings.overflow == Overflow::Skip {
                Gap::Skipped
            } else {
                Gap::Expired
            };
            let may_be_told = gap == Gap::Skipped || self.account.may_get_older();
            assert!(
                may_be_told,
                "its stream ends, and it is told when it comes back"
            );
            assert!(event.data.contains(gap.as_str()), "{}", event.data);
            self.account.be_told(server.truth.len());
        } else {
            assert!(!was_told, "told twice");
        }
    }

    /// Counts a connection whose first piece has arrived.
    fn has_received(&mut self, server: &mut Server) {
        let connection = self.connection.as_mut();
        let Some(connection) = connection.filter(|connection| !connection.has_opened) else {
            return;
        };
        connection.has_opened = true;
        connection.check_opening(self.wishes.on_gap);
        assert!(!self.id.is_empty(), "it has nothing to come back with");
        let (due, Wishes { on_gap, .. }) = (connection.begin.due, self.wishes);
        match (connection.is_first, connection.is_gap()) {
            (true, _) => self.account.begin(due, self.wishes.from_earliest),
            (_, true) if on_gap == OnGap::Replay => self.account.begin(due, true),
            (_, true) => self.account.go_on(due),
            (_, false) => return,
        }
        let id = String::from_utf8_lossy(&self.id).into_owned();
        server.truth.give(id, connection.begin);
    }

    /// Checks that a stream which never ends by itself was asked to, and has given everything.
    fn check_end(&self, server: &Server) {
        if let Some(connection) = &self.connection
            && server.settings.delivers_everything()
        {
            let before = connection.ends_after.expect("it ends for a reason");
            let owed = self.account.owed(before, &server.truth);
            assert_eq!(owed, None, "it ends too early: {:?}", self.account);
        }
    }

    /// Returns whether it continues after a gap in the middle of its stream and is told nothing.
    fn skips_in_silence(&self, server: &Server) -> bool {
        let goes_on = server.settings.overflow == Overflow::Skip || self.account.may_get_older();
        goes_on && self.wishes.on_gap == OnGap::Silent
    }
}

impl Connection {
    fn is_gap(&self) -> bool {
        matches!(self.body.outcome(), Outcome::Gap(_))
    }

    /// Checks that the first piece tells of a gap if there is one, unless the client is silent.
    fn check_opening(&self, on_gap: OnGap) {
        let is_to_be_told = self.is_gap() && on_gap != OnGap::Silent;
        assert_eq!(self.told_at.is_some(), is_to_be_told, "told of a gap");
    }
}

/// Returns the number of a message of this model.
fn number(data: &str) -> usize {
    let number = data
        .split(' ')
        .next()
        .and_then(|number| number.parse().ok());
    number.expect("a message of this model")
}
