//! Sidecars to call through: one that plays the callees itself, and one that sends each call on to
//! a real server.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::header::HOST;
use http::request::Parts;
use http::{HeaderValue, Request, Response, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use mesh_demo::TokioIo;
use tokio::net::TcpListener;

use crate::LOCAL;
use crate::client::{self, Connection, Protocol};

/// A sidecar that answers every call with `play(host, path)`, a status and a body, and keeps the
/// heads of all calls.
pub(crate) struct Sidecar {
    pub(crate) address: SocketAddr,
    calls: Arc<Mutex<Vec<Parts>>>,
}

impl Sidecar {
    pub(crate) async fn play(play: fn(&str, &str) -> (u16, &'static str)) -> Self {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&calls);
        let address = listen(move |request: Request<Incoming>| {
            let (head, _) = request.into_parts();
            let (status, body) = play(host(&head), head.uri.path());
            kept.lock().expect("the calls").push(head);
            async move { answer(status, Bytes::from_static(body.as_bytes())) }
        })
        .await;
        Self { address, calls }
    }

    /// The one call to this host so far.
    pub(crate) fn call_to(&self, callee: &str) -> Parts {
        let calls = self.calls.lock().expect("the calls");
        let found: Vec<_> = calls.iter().filter(|head| host(head) == callee).collect();
        assert_eq!(found.len(), 1, "calls to {callee} among {calls:?}");
        assert_eq!(found[0].version, Version::HTTP_11);
        found[0].clone()
    }
}

fn host(head: &Parts) -> &str {
    let host = head.headers.get(HOST).map(HeaderValue::to_str);
    host.and_then(Result::ok).unwrap_or_default()
}

fn answer(status: u16, body: Bytes) -> Response<Full<Bytes>> {
    let response = Response::builder().status(status).body(Full::new(body));
    response.expect("a response")
}

/// A sidecar that sends every call on to the server that `choose` names for it.
pub(crate) async fn route(
    choose: impl Fn(&str, &Parts) -> SocketAddr + Send + Sync + 'static,
) -> SocketAddr {
    listen(move |request: Request<Incoming>| {
        let (head, _) = request.into_parts();
        let target = choose(host(&head), &head);
        async move {
            let mut onward = client::request("GET", head.uri.path(), &[], "");
            *onward.headers_mut() = head.headers;
            let mut connection = Connection::open(target, Protocol::Http1).await;
            let got = connection.call(onward).await.expect("an answer");
            answer(got.status.as_u16(), got.body)
        }
    })
    .await
}

async fn listen<F, A>(respond: F) -> SocketAddr
where
    F: Fn(Request<Incoming>) -> A + Send + Sync + 'static,
    A: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let listener = TcpListener::bind(LOCAL).await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    let respond = Arc::new(respond);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let respond = Arc::clone(&respond);
            let service = service_fn(move |request| {
                let response = respond(request);
                async move { Ok::<_, Infallible>(response.await) }
            });
            let http1 = hyper::server::conn::http1::Builder::new();
            tokio::spawn(http1.serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}
