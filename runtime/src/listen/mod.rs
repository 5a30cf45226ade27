//! Where connections come in: sockets, TLS, and the life of a connection.
//!
//! A [`Listener`] is one worker's half of a listener: its accept loop, its settings as the present
//! snapshot has them, and the connections that it would have to tell about a drain.

pub(crate) mod connection;
pub(crate) mod io;
pub(crate) mod socket;
pub(crate) mod tls;

use std::cell::{Cell, Ref, RefCell};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};

use crate::snapshot::{Entrance, Key};
use crate::telemetry::metrics::ListenerCells;
use crate::worker::Worker;
use tls::TlsSettings;

/// How long nothing is accepted when there is no file descriptor left.
const EXHAUSTED: Duration = Duration::from_millis(50);

/// What a listener is in the present snapshot.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) entrance: Entrance,
    pub(crate) tls: Option<Arc<TlsSettings>>,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Where the gateway listens with TLS, if everything is to go there.
    pub(crate) redirect_port: Option<u16>,
}

/// A worker's half of a listener.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) key: Key,
    pub(crate) cells: Arc<ListenerCells>,
    settings: RefCell<Settings>,
    /// Whether the accept loop is to end.
    closing: Cell<bool>,
    acceptor: RefCell<Option<Waker>>,
    /// Since when its connections are asked to end.
    draining: Cell<Option<Instant>>,
    /// When it changed from clear to TLS, or back.
    changed: Cell<Option<Instant>>,
    connections: RefCell<Wakers>,
}

/// The tasks of connections.
#[derive(Debug, Default)]
struct Wakers {
    all: Vec<Option<Waker>>,
    free: Vec<usize>,
}

impl Listener {
    pub(crate) fn new(key: Key, cells: Arc<ListenerCells>, settings: Settings) -> Rc<Self> {
        Rc::new(Self {
            key,
            cells,
            settings: RefCell::new(settings),
            closing: Cell::new(false),
            acceptor: RefCell::new(None),
            draining: Cell::new(None),
            changed: Cell::new(None),
            connections: RefCell::default(),
        })
    }

    pub(crate) fn settings(&self) -> Ref<'_, Settings> {
        self.settings.borrow()
    }

    /// Changes what it is. Connections that came in the clear end where that is no longer served, and
    /// those that came with TLS likewise.
    pub(crate) fn set_settings(&self, settings: Settings) {
        let before = self.settings.replace(settings);
        if before.tls.is_some() != self.settings().tls.is_some() {
            self.changed.set(Some(Instant::now()));
            self.wake_connections();
        }
    }

    /// Ends the accept loop, after what is queued.
    pub(crate) fn close(&self) {
        self.closing.set(true);
        if let Some(acceptor) = self.acceptor.take() {
            acceptor.wake();
        }
    }

    /// Asks all connections to end.
    pub(crate) fn drain(&self) {
        if self.draining.get().is_none() {
            self.draining.set(Some(Instant::now()));
            self.wake_connections();
        }
    }

    fn wake_connections(&self) {
        let connections = self.connections.borrow();
        connections
            .all
            .iter()
            .flatten()
            .for_each(Waker::wake_by_ref);
    }

    /// Since when a connection that came in this way is asked to end.
    fn draining_since(&self, is_tls: bool) -> Option<Instant> {
        let as_served = self.settings().tls.is_some() == is_tls;
        self.draining
            .get()
            .or_else(|| self.changed.get().filter(|_| !as_served))
    }

    /// Notes a connection's task, to wake it for a drain.
    fn enter(&self, waker: &Waker) -> usize {
        let mut connections = self.connections.borrow_mut();
        let place = connections.free.pop().unwrap_or_else(|| {
            connections.all.push(None);
            connections.all.len() - 1
        });
        connections.all[place] = Some(waker.clone());
        place
    }

    fn leave(&self, place: usize) {
        let mut connections = self.connections.borrow_mut();
        let waker = connections.all[place].take();
        connections.free.push(place);
        drop(connections);
        drop(waker);
    }

    fn poll_accept(
        &self,
        socket: &TcpListener,
        cx: &mut Context<'_>,
    ) -> Poll<Option<std::io::Result<(TcpStream, SocketAddr)>>> {
        match socket.poll_accept(cx) {
            Poll::Ready(accepted) => Poll::Ready(Some(accepted)),
            Poll::Pending if self.closing.get() => Poll::Ready(None),
            Poll::Pending => {
                *self.acceptor.borrow_mut() = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// Accepts connections until the listener is closed; then what is still queued, then no more.
pub(crate) async fn accept(worker: Rc<Worker>, listener: Rc<Listener>, socket: TcpListener) {
    while let Some(accepted) = poll_fn(|cx| listener.poll_accept(&socket, cx)).await {
        match accepted {
            Ok((stream, peer)) => share(&worker, &listener, stream, peer),
            // The client has thought better of it; or there are no more file descriptors, and
            // asking at once would only burn the processor.
            Err(error) if is_about_the_client(&error) => {}
            Err(_) => worker.wheel.sleep(EXHAUSTED).await,
        }
    }
    worker.listener_ended();
}

fn is_about_the_client(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused
    )
}

/// Serves a connection here or, where another worker has clearly fewer, there. The kernel spreads
/// connections without looking at how many of them last.
fn share(worker: &Rc<Worker>, listener: &Rc<Listener>, stream: TcpStream, peer: SocketAddr) {
    let workers = &listener.cells.workers;
    let mine = workers[worker.index].active();
    let others = workers
        .iter()
        .enumerate()
        .filter(|(_, cells)| cells.is_open.load(Relaxed));
    if let Some((other, cells)) = others.min_by_key(|(_, cells)| cells.active())
        && is_clearly_less(cells.active(), mine)
        && !listener.closing.get()
    {
        // Counted before it is there, so that the next one sees it.
        cells.open();
        if !worker.hand_over(other, listener.key, stream, peer) {
            cells.close();
        }
        return;
    }
    workers[worker.index].open();
    connection::start(worker, listener, stream, peer);
}

fn is_clearly_less(theirs: u64, mine: u64) -> bool {
    theirs + theirs / 8 + 1 < mine
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_differences_are_left_alone() {
        assert!(!is_clearly_less(0, 0));
        assert!(!is_clearly_less(0, 1));
        assert!(is_clearly_less(0, 2));
        assert!(!is_clearly_less(100, 112));
        assert!(is_clearly_less(100, 114));
    }
}
