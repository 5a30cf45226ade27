//! The plumbing that every server shares: a listener, connections in HTTP/1.1 or HTTP/2, and an end
//! without haste.
//!
//! Which of the two a connection speaks is told by its first bytes. A server that is shut down
//! takes no more connections, lets those it has finish what they began, and breaks what is not done
//! in time.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::header::CONTENT_LENGTH;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::details;
use crate::echo::{self, Ends};
use crate::io::{TokioExecutor, TokioIo};
use crate::name::ServerName;
use crate::productpage::Productpage;
use crate::ratings::Ratings;
use crate::reply::{Refusal, Reply, with_body};
use crate::reviews::Reviews;

/// How long connections may go on once a server is shut down.
const GRACE: Duration = Duration::from_secs(5);

/// The pause after a connection could not be accepted, mostly for want of file descriptors.
const BREATH: Duration = Duration::from_millis(50);

/// What an HTTP/2 connection begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const SERVED_BY: HeaderName = HeaderName::from_static("x-served-by");

/// A server to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server {
    /// Which one.
    pub name: ServerName,
    /// Where its sidecar takes its calls to others. A server that calls others and has none answers
    /// without them.
    pub outbound: Option<SocketAddr>,
}

/// A server that runs until this is shut down or dropped.
#[derive(Debug)]
#[must_use = "a server stops when its handle is dropped"]
pub struct Running {
    /// Where it listens; the port is the one it got where 0 was asked for.
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Running {
    /// Stops listening, lets what was begun finish, for 5 s at most, and returns when all
    /// connections are closed.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        // An error would say that the task is over, which is what is wanted.
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Running {
    /// Stops at once: the listener and every connection are closed as soon as the runtime comes to
    /// it.
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Binds the address and serves on the current tokio runtime, whose I/O and time must be enabled.
/// Once this returns, connections are accepted. The error is the one of binding.
pub async fn start(server: Server, listen: SocketAddr) -> io::Result<Running> {
    start_as(server, server.name.served_by(), listen).await
}

/// Like [`start`], with another name in `x-served-by`: the echo can stand for a service of any mesh.
pub async fn start_as(server: Server, served_by: &str, listen: SocketAddr) -> io::Result<Running> {
    let served_by = HeaderValue::from_str(served_by)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    let accepting = tokio::spawn(accept(
        listener,
        Arc::new(Application::new(server, served_by)),
        stopped,
    ));
    Ok(Running {
        address,
        stop,
        accepting,
    })
}

async fn accept(listener: TcpListener, application: Arc<Application>, stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    let mut stopped = pin!(stopped(stop.clone()));
    loop {
        let next = poll_fn(|cx| {
            while let Poll::Ready(Some(_)) = connections.poll_join_next(cx) {}
            listener.poll_accept(cx)
        });
        match unless(stopped.as_mut(), next).await {
            None => break,
            Some(Ok((stream, _))) => {
                connections.spawn(converse(stream, Arc::clone(&application), stop.clone()));
            }
            Some(Err(_)) => tokio::time::sleep(BREATH).await,
        }
    }
    drop(listener);
    // What is not over by then is dropped with the set.
    let _ = tokio::time::timeout(GRACE, async {
        while connections.join_next().await.is_some() {}
    })
    .await;
}

/// Resolves when the server is to stop.
async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// What `work` comes to, unless `stop` comes first.
async fn unless<T>(
    mut stop: Pin<&mut impl Future<Output = ()>>,
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|cx| match stop.as_mut().poll(cx) {
        Poll::Ready(()) => Poll::Ready(None),
        Poll::Pending => work.as_mut().poll(cx).map(Some),
    })
    .await
}

/// One connection, from its first byte to its last.
async fn converse(stream: TcpStream, application: Arc<Application>, stop: watch::Receiver<bool>) {
    let (Ok(local), Ok(peer), Ok(())) = (
        stream.local_addr(),
        stream.peer_addr(),
        stream.set_nodelay(true),
    ) else {
        return;
    };
    let ends = Ends { local, peer };
    let mut io = TokioIo::new(stream);
    let mut stop = pin!(stopped(stop));
    let Some(Ok(is_http2)) = unless(stop.as_mut(), io.starts_with(PREFACE)).await else {
        return;
    };
    let service = service_fn(move |request| {
        let application = Arc::clone(&application);
        async move { application.answer(request, ends).await }
    });
    // How a connection ends is its client's business; the next one is served all the same.
    if is_http2 {
        let mut connection = pin!(http2::Builder::new(TokioExecutor).serve_connection(io, service));
        let _ = serve(
            connection.as_mut(),
            stop,
            http2::Connection::graceful_shutdown,
        )
        .await;
    } else {
        let mut connection = http1::Builder::new().serve_connection(io, service);
        let end = serve(
            Pin::new(&mut connection),
            stop,
            http1::Connection::graceful_shutdown,
        )
        .await;
        if end.is_err_and(|error| error.is_user()) {
            // There shall be no answer: the socket is closed with a reset.
            let _ = connection.into_parts().io.into_inner().set_zero_linger();
        }
    }
}

/// Serves a connection to its end, which `close` makes come soon once the server is to stop.
async fn serve<C: Future>(
    mut connection: Pin<&mut C>,
    stop: Pin<&mut impl Future<Output = ()>>,
    close: impl Fn(Pin<&mut C>),
) -> C::Output {
    if let Some(end) = unless(stop, connection.as_mut()).await {
        return end;
    }
    close(connection.as_mut());
    connection.await
}

/// What answers the requests of one server.
#[derive(Debug)]
struct Application {
    served_by: HeaderValue,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Productpage(Productpage),
    Details,
    Reviews(Reviews),
    Ratings(Ratings),
    Echo,
}

impl Application {
    fn new(server: Server, served_by: HeaderValue) -> Self {
        Self {
            served_by,
            kind: match server.name {
                ServerName::Productpage => Kind::Productpage(Productpage::new(server.outbound)),
                ServerName::Details => Kind::Details,
                ServerName::Reviews(version) => {
                    Kind::Reviews(Reviews::new(version, server.outbound))
                }
                ServerName::Ratings => Kind::Ratings(Ratings::default()),
                ServerName::Echo => Kind::Echo,
            },
        }
    }

    async fn answer(&self, request: Request<Incoming>, ends: Ends) -> Result<Reply, Reset> {
        let is_head = request.method() == Method::HEAD;
        let answer = self.kind.answer(request, ends).await;
        let mut reply = answer
            .unwrap_or_else(|refusal| Some(refusal.into_reply()))
            .ok_or(Reset)?;
        reply
            .headers_mut()
            .insert(SERVED_BY, self.served_by.clone());
        if is_head {
            if let Some(length) = reply.body().size_hint().exact() {
                reply.headers_mut().insert(CONTENT_LENGTH, length.into());
            }
            reply = without_body(reply);
        } else if [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&reply.status()) {
            reply = without_body(reply);
        }
        Ok(reply)
    }
}

impl Kind {
    async fn answer(
        &self,
        request: Request<Incoming>,
        ends: Ends,
    ) -> Result<Option<Reply>, Refusal> {
        match self {
            Self::Productpage(productpage) => productpage
                .answer(&with_body(request).await?)
                .await
                .map(Some),
            Self::Details => details::answer(&with_body(request).await?).map(Some),
            Self::Reviews(reviews) => reviews.answer(&with_body(request).await?).await.map(Some),
            Self::Ratings(ratings) => ratings.answer(&with_body(request).await?).map(Some),
            Self::Echo => echo::answer(request, ends).await,
        }
    }
}

fn without_body(reply: Reply) -> Reply {
    reply.map(|_| Empty::new().boxed_unsync())
}

/// The one error of answering: that there shall be no answer.
#[derive(Debug)]
struct Reset;

impl fmt::Display for Reset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request asked for a reset in place of an answer")
    }
}

impl std::error::Error for Reset {}
