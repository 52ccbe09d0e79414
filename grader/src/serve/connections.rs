//! Connections, from the first byte to the last.
//!
//! Owns: how many there may be, how long a request's head may take, and their end. Must not: know what is
//! asked for.
//!
//! Everybody on this machine can open connections, and say nothing on them. Where there are too many, those go first
//! on which nobody has shown that they may be here, the oldest first; so there is room for the learner's own.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tower::ServiceExt;

use super::entrance::Standing;

/// The most connections at once. A browser opens six, and one for each terminal.
const MOST: usize = 256;
/// How long a request's head may take, and how long nothing may come after an answer.
const HEAD: Duration = Duration::from_secs(20);
/// The longest head of a request, bytes. Cookies of all servers on this machine are in it.
const HEAD_BYTES: usize = 64 << 10;
/// How long answers may take when the server ends.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
/// How long to wait where the system has no room for another connection.
const NO_ROOM: Duration = Duration::from_millis(50);

/// All connections.
pub struct Connections {
    open: Arc<Open>,
    /// Whether the server ends. Each connection listens to it.
    ending: watch::Sender<bool>,
    most: usize,
    head: Duration,
}

impl Default for Connections {
    fn default() -> Self {
        // Files, builds and terminals need some of what the system allows, too.
        let allowed = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let share = allowed.map_or(MOST, |allowed| usize::try_from(allowed / 4).unwrap_or(MOST));
        Self { open: Arc::default(), ending: watch::Sender::new(false), most: share.clamp(16, MOST), head: HEAD }
    }
}

impl Connections {
    /// Takes connections, for ever.
    pub async fn take(&self, listener: &TcpListener, router: &Router) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    self.open.make_room(self.most);
                    let (place, sent_away) = self.open.place();
                    let ending = self.ending.subscribe();
                    tokio::spawn(talk(stream, router.clone(), self.head, place, sent_away, ending));
                }
                // Whoever came has gone again, or the system has no room.
                Err(error) => {
                    let is_gone = matches!(
                        error.kind(),
                        std::io::ErrorKind::ConnectionAborted | std::io::ErrorKind::ConnectionReset
                    );
                    if !is_gone {
                        self.open.send_one_away();
                        tokio::time::sleep(NO_ROOM).await;
                    }
                }
            }
        }
    }

    /// Lets no more requests come. Answers that are on their way go on.
    pub fn end(&self) {
        self.ending.send_replace(true);
    }

    /// Waits until all are closed, but not for whoever does not read, or has sent half a request.
    pub async fn closed(&self) {
        let _ = tokio::time::timeout(LAST_ANSWERS, self.ending.closed()).await;
    }
}

async fn talk(
    stream: TcpStream,
    router: Router,
    head: Duration,
    place: Place,
    mut sent_away: oneshot::Receiver<()>,
    mut ending: watch::Receiver<bool>,
) {
    let service = hyper::service::service_fn(|mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(place.clone());
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let mut goes_on = true;
    loop {
        tokio::select! {
            // What goes wrong with a connection is the other side's to know.
            _ = connection.as_mut() => return,
            _ = &mut sent_away => return,
            _ = ending.wait_for(|ending| *ending), if goes_on => {
                goes_on = false;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// Who is connected: by standing first and then by age.
#[derive(Default)]
struct Open(Mutex<Held>);

#[derive(Default)]
struct Held {
    last: u64,
    all: BTreeMap<(Standing, u64), oneshot::Sender<()>>,
}

impl Open {
    fn place(self: &Arc<Self>) -> (Place, oneshot::Receiver<()>) {
        let (sender, sent_away) = oneshot::channel();
        let mut held = self.held();
        held.last += 1;
        let at = (Standing::Stranger, held.last);
        held.all.insert(at, sender);
        drop(held);
        (Place(Arc::new(Seat { open: self.clone(), at: Mutex::new(at) })), sent_away)
    }

    /// Sends away whoever has the least to do here, until there is room for one more.
    fn make_room(&self, most: usize) {
        while self.held().all.len() >= most && self.send_one_away() {}
    }

    /// `false` when nobody is here.
    fn send_one_away(&self) -> bool {
        let last = self.held().all.pop_first();
        last.is_some_and(|(_, one)| one.send(()).is_ok())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place among the others; it is free again when the last copy is dropped.
#[derive(Clone)]
pub struct Place(Arc<Seat>);

struct Seat {
    open: Arc<Open>,
    at: Mutex<(Standing, u64)>,
}

impl Place {
    /// Somebody has shown on this connection what they may do.
    pub fn is_of(&self, standing: Standing) {
        let mut at = self.0.at.lock().unwrap_or_else(PoisonError::into_inner);
        let mut held = self.0.open.held();
        if standing > at.0
            && let Some(sender) = held.all.remove(&*at)
        {
            at.0 = standing;
            held.all.insert(*at, sender);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let at = *self.at.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.open.held().all.remove(&at);
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::Extension;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Far longer than a test may take.
    const NEVER: Duration = Duration::from_secs(3_600);
    /// The longest that anything here may take.
    const LIMIT: Duration = Duration::from_secs(60);

    #[test]
    fn strangers_go_first_and_of_those_the_oldest() {
        let open = Arc::new(Open::default());
        let mut all: Vec<_> = (0..4).map(|_| open.place()).collect();
        all[0].0.is_of(Standing::Learner);
        all[1].0.is_of(Standing::Reader);
        // What was shown once counts for the whole connection.
        all[0].0.is_of(Standing::Stranger);
        let mut is_gone = |at: usize| all[at].1.try_recv().is_ok();
        for (most, gone) in [(4, 2), (3, 3), (2, 1)] {
            open.make_room(most);
            assert!(is_gone(gone), "{most}");
        }
        assert!(!is_gone(0));
    }

    #[test]
    fn who_has_gone_takes_no_room() {
        let open = Arc::new(Open::default());
        let (place, _away) = open.place();
        let copy = place.clone();
        drop(place);
        assert_eq!(open.held().all.len(), 1, "a request is being answered");
        copy.is_of(Standing::Reader);
        drop(copy);
        assert_eq!(open.held().all.len(), 0);
    }

    /// A server on which everybody who asks for anything shows that they are the learner.
    async fn served(most: usize, head: Duration) -> (Arc<Connections>, SocketAddr) {
        let connections = Arc::new(Connections { most, head, ..Connections::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let here = async |Extension(place): Extension<Place>| {
            place.is_of(Standing::Learner);
            "here"
        };
        let (taking, router) = (connections.clone(), Router::new().route("/", get(here)));
        tokio::spawn(async move { taking.take(&listener, &router).await });
        (connections, address)
    }

    async fn asks(stream: &mut TcpStream) -> String {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
        let (mut answer, mut piece) = (Vec::new(), [0; 1_024]);
        while !answer.ends_with(b"here") {
            let count = tokio::time::timeout(LIMIT, stream.read(&mut piece)).await.expect("an answer").expect("read");
            assert!(count > 0, "closed after {:?}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&piece[..count]);
        }
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Waits until the other side has closed it.
    async fn is_closed(stream: &mut TcpStream) {
        let end = tokio::time::timeout(LIMIT, stream.read(&mut [0; 1_024])).await.expect("closed");
        assert!(!end.is_ok_and(|count| count > 0), "something came");
    }

    #[tokio::test]
    async fn idle_connections_leave_room_for_whoever_may_be_here() {
        let (connections, address) = served(8, NEVER).await;
        let mut idle = Vec::new();
        let mut flood = async || {
            for _ in 0..20 {
                let mut stream = TcpStream::connect(address).await.expect("connected");
                stream.write_all(b"GET / HTTP/1.1\r\nhost: ").await.expect("sent");
                idle.push(stream);
            }
        };
        flood().await;
        let mut own = TcpStream::connect(address).await.expect("connected");
        assert!(asks(&mut own).await.starts_with("HTTP/1.1 200"));
        flood().await;
        assert!(asks(&mut own).await.starts_with("HTTP/1.1 200"), "the same connection");
        for stream in &mut idle[..30] {
            is_closed(stream).await;
        }
        assert!(connections.open.held().all.len() <= 8);
    }

    #[tokio::test]
    async fn half_a_request_is_given_up_and_so_is_silence_after_an_answer() {
        let (_connections, address) = served(8, Duration::from_millis(20)).await;
        let mut half = TcpStream::connect(address).await.expect("connected");
        half.write_all(b"GET / HTTP/1.1\r\nhost: ").await.expect("sent");
        is_closed(&mut half).await;
        let mut silent = TcpStream::connect(address).await.expect("connected");
        asks(&mut silent).await;
        is_closed(&mut silent).await;
    }

    #[tokio::test]
    async fn nobody_keeps_it_from_ending() {
        let (connections, address) = served(8, NEVER).await;
        let mut half = TcpStream::connect(address).await.expect("connected");
        half.write_all(b"GET / HTTP/1.1\r\nhost: ").await.expect("sent");
        let mut silent = TcpStream::connect(address).await.expect("connected");
        asks(&mut silent).await;
        connections.end();
        is_closed(&mut silent).await;
        tokio::time::timeout(LIMIT, connections.closed()).await.expect("the end");
    }
}
