//! Connections to upstreams, kept for the next request.
//!
//! A worker has one [`Upstream`] for each address and service, which a reload carries over. HTTP/1
//! connections are leased to one request at a time and come back when its response has ended, the
//! last one in being the first out, so that those not needed grow old and are closed. HTTP/2 has one
//! connection, and a further one when its streams are used up.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::client::conn::{http1, http2};

use super::Hop;
use crate::request::body::RequestBody;
use crate::telemetry::access_log::address_text;
use crate::telemetry::metrics::{UpstreamCells, WorkerMetrics};
use crate::wheel::{Timer, Wheel};

/// How often a connection that is in use, or may be kept for ever, is looked at.
const LOOK: Duration = Duration::from_mins(1);

/// What makes an upstream the same across bundles: its address and its service's name.
type Identity = (SocketAddr, Arc<str>);

/// The upstreams of a worker.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    upstreams: RefCell<HashMap<Identity, Rc<Upstream>>>,
}

impl Pool {
    /// The upstream at an address, for a service.
    pub(crate) fn upstream(
        &self,
        address: SocketAddr,
        service: &Arc<str>,
        metrics: &WorkerMetrics,
    ) -> Rc<Upstream> {
        let mut upstreams = self.upstreams.borrow_mut();
        let upstream = upstreams.entry((address, Arc::clone(service)));
        Rc::clone(upstream.or_insert_with(|| {
            Rc::new(Upstream {
                address,
                text: address_text(address),
                cells: metrics.upstream(service),
                active: Cell::new(0),
                retired: Cell::new(false),
                http1: RefCell::default(),
                http2: RefCell::default(),
                dial: tokio::sync::Mutex::new(()),
            })
        }))
    }

    /// Forgets upstreams that a new bundle no longer has. What they still serve goes on.
    pub(crate) fn retain(&self, keep: impl Fn(&Identity) -> bool) {
        let mut upstreams = self.upstreams.borrow_mut();
        upstreams.retain(|key, upstream| {
            let keep = keep(key);
            if !keep {
                upstream.retired.set(true);
                upstream.http1.borrow_mut().clear();
                upstream.http2.borrow_mut().clear();
            }
            keep
        });
    }
}

/// An endpoint, as a worker knows it.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    /// The address, as logs show it.
    pub(crate) text: Box<str>,
    pub(crate) cells: Arc<UpstreamCells>,
    /// Requests under way.
    active: Cell<u32>,
    /// Whether no new request will come: connections are not kept.
    retired: Cell<bool>,
    http1: RefCell<Vec<Idle>>,
    http2: RefCell<Vec<(Rc<Link>, http2::SendRequest<RequestBody>)>>,
    /// Held while a connection for all to share is made.
    pub(crate) dial: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Idle {
    link: Rc<Link>,
    sender: http1::SendRequest<RequestBody>,
}

/// What a request and the task of its connection know of each other.
#[derive(Debug)]
pub(crate) struct Link {
    timer: Timer,
    /// Requests on the connection.
    in_use: Cell<u32>,
    /// Requests that it takes at a time.
    pub(crate) streams: Cell<usize>,
    idle_since: Cell<Instant>,
    /// How long it may be idle; for ever without.
    idle_limit: Cell<Option<Duration>>,
}

impl Link {
    pub(crate) fn new(wheel: &Rc<Wheel>) -> Rc<Self> {
        let now = Instant::now();
        Rc::new(Self {
            timer: wheel.timer(now + LOOK),
            in_use: Cell::new(0),
            streams: Cell::new(1),
            idle_since: Cell::new(now),
            idle_limit: Cell::new(None),
        })
    }

    /// Ready when the connection has been idle for too long. Looks only when its timer fires: being
    /// used does not touch the timer.
    pub(crate) fn poll_expired(&self, cx: &mut Context<'_>) -> Poll<()> {
        while self.timer.poll_fired(cx).is_ready() {
            let now = Instant::now();
            let next = match self.idle_limit.get() {
                Some(limit) if self.in_use.get() == 0 => self.idle_since.get() + limit,
                _ => now + LOOK,
            };
            if next <= now {
                return Poll::Ready(());
            }
            self.timer.reset(next);
        }
        Poll::Pending
    }

    fn idle(&self, now: Instant, limit: Option<Duration>) {
        self.idle_since.set(now);
        if self.idle_limit.replace(limit) != limit
            && let Some(limit) = limit
        {
            self.timer.reset(now + limit);
        }
    }
}

impl Upstream {
    /// Requests under way.
    #[inline]
    pub(crate) fn active(&self) -> u32 {
        self.active.get()
    }

    /// Counts a request as under way for as long as the result lives.
    #[inline]
    pub(crate) fn enter(self: &Rc<Self>) -> Active {
        self.active.set(self.active.get() + 1);
        Active(Rc::clone(self))
    }

    /// A connection that is there already.
    #[inline]
    pub(crate) fn pooled(self: &Rc<Self>, hop: Hop) -> Option<Lease> {
        match hop {
            Hop::Http1 => self.pooled_http1(),
            Hop::Http2 => self.pooled_http2(),
        }
    }

    fn pooled_http1(self: &Rc<Self>) -> Option<Lease> {
        let mut idle = self.http1.borrow_mut();
        // A connection whose last request's body is still on its way is not ready yet.
        let mut at = idle.len();
        while let Some(before) = at.checked_sub(1) {
            at = before;
            if idle[at].sender.is_ready() {
                let Idle { link, sender } = idle.remove(at);
                return Some(self.lease(link, Sender::Http1(sender), false));
            }
            if idle[at].sender.is_closed() {
                idle.remove(at);
            }
        }
        None
    }

    fn pooled_http2(self: &Rc<Self>) -> Option<Lease> {
        let mut connections = self.http2.borrow_mut();
        connections.retain(|(_, sender)| !sender.is_closed());
        let free = |link: &Link| (link.in_use.get() as usize) < link.streams.get();
        let (link, sender) = connections.iter().find(|(link, _)| free(link))?;
        Some(self.lease(Rc::clone(link), Sender::Http2(sender.clone()), false))
    }

    /// Leases a new HTTP/1 connection.
    pub(crate) fn opened_http1(
        self: &Rc<Self>,
        link: Rc<Link>,
        sender: http1::SendRequest<RequestBody>,
    ) -> Lease {
        self.lease(link, Sender::Http1(sender), true)
    }

    /// Takes a new HTTP/2 connection in and leases a stream of it.
    pub(crate) fn opened_http2(
        self: &Rc<Self>,
        link: Rc<Link>,
        sender: http2::SendRequest<RequestBody>,
    ) -> Lease {
        if !self.retired.get() {
            let mut connections = self.http2.borrow_mut();
            connections.push((Rc::clone(&link), sender.clone()));
        }
        self.lease(link, Sender::Http2(sender), true)
    }

    fn lease(self: &Rc<Self>, link: Rc<Link>, sender: Sender, fresh: bool) -> Lease {
        link.in_use.set(link.in_use.get() + 1);
        Lease {
            upstream: Rc::clone(self),
            link: InUse(link),
            sender,
            fresh,
        }
    }

    /// Gives a connection no further request.
    pub(crate) fn forget(&self, link: &Rc<Link>) {
        let mut idle = self.http1.borrow_mut();
        idle.retain(|it| !Rc::ptr_eq(&it.link, link));
        let mut connections = self.http2.borrow_mut();
        connections.retain(|(it, _)| !Rc::ptr_eq(it, link));
    }
}

/// A request that is under way.
#[derive(Debug)]
pub(crate) struct Active(Rc<Upstream>);

impl Active {
    pub(crate) fn upstream(&self) -> &Rc<Upstream> {
        &self.0
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.active.set(self.0.active.get() - 1);
    }
}

/// What a request is sent through.
#[derive(Debug)]
pub(crate) enum Sender {
    Http1(http1::SendRequest<RequestBody>),
    Http2(http2::SendRequest<RequestBody>),
}

/// A connection, or a stream of one, for one request. Dropping it gives the request up: an HTTP/1
/// connection is closed, of HTTP/2 the stream is reset.
#[derive(Debug)]
pub(crate) struct Lease {
    upstream: Rc<Upstream>,
    link: InUse,
    sender: Sender,
    /// Whether the connection was made for this request.
    pub(crate) fresh: bool,
}

impl Lease {
    pub(crate) fn sender(&mut self) -> &mut Sender {
        &mut self.sender
    }

    /// Gives the connection back: the response has ended.
    pub(crate) fn release(self, now: Instant, idle_limit: Option<Duration>) {
        let Self {
            upstream,
            link,
            sender,
            ..
        } = self;
        link.0.idle(now, idle_limit);
        if let Sender::Http1(sender) = sender
            && !sender.is_closed()
            && !upstream.retired.get()
        {
            let link = Rc::clone(&link.0);
            upstream.http1.borrow_mut().push(Idle { link, sender });
        }
    }
}

/// A request on a connection.
#[derive(Debug)]
struct InUse(Rc<Link>);

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.in_use.set(self.0.in_use.get() - 1);
    }
}
