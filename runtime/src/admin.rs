//! The admin pages: is it alive, is it ready, what does it serve, what has it counted.
//!
//! On the control thread, for operators and orchestrators; by default on loopback only, since they
//! tell what a mesh is made of. They are made from the [`Status`] of the process, whatever nodes it
//! runs.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body::Frame;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use mesh_bundle::signature::Moment;
use serde_json::{Value, json};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_local;

use crate::status::Status;
use crate::telemetry::clock::timestamp_text;
use crate::telemetry::collector;
use crate::telemetry::metrics::ConnectionCells;

/// How long a connection may last: nobody holds the control thread's descriptors for ever.
const CONNECTION: Duration = Duration::from_mins(1);

/// Serves the pages for ever.
pub(crate) fn serve(sockets: Vec<std::net::TcpListener>, status: &Arc<Status>) {
    for socket in sockets {
        let Ok(listener) = TcpListener::from_std(socket) else {
            continue;
        };
        let status = Arc::clone(status);
        spawn_local(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => drop(spawn_local(connection(stream, Arc::clone(&status)))),
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        });
    }
}

async fn connection(stream: TcpStream, status: Arc<Status>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let response = answer(&request, &status);
        async move { Ok::<_, Infallible>(response) }
    });
    let serving = http1::Builder::new()
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), service);
    // A client that breaks off or stays too long is no matter.
    drop(tokio::time::timeout(CONNECTION, serving).await);
}

fn answer(request: &Request<Incoming>, status: &Arc<Status>) -> Response<Page> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = page(StatusCode::METHOD_NOT_ALLOWED, TEXT, "read only\n");
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match request.uri().path() {
        "/healthz" => page(StatusCode::OK, TEXT, "alive\n"),
        "/ready" if status.is_ready() => page(StatusCode::OK, TEXT, "ready\n"),
        "/ready" => page(StatusCode::SERVICE_UNAVAILABLE, TEXT, "not ready\n"),
        "/status" => {
            // A Value of our own making is always written.
            let text = serde_json::to_string_pretty(&describe(status)).unwrap_or_default();
            page(StatusCode::OK, "application/json", text + "\n")
        }
        "/metrics" => page(StatusCode::OK, OPENMETRICS, collector::page(status)),
        "/" => page(
            StatusCode::OK,
            TEXT,
            "/healthz\n/ready\n/status\n/metrics\n",
        ),
        _ => page(
            StatusCode::NOT_FOUND,
            TEXT,
            "there are /healthz, /ready, /status and /metrics\n",
        ),
    }
}

const TEXT: &str = "text/plain; charset=utf-8";
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

fn page(status: StatusCode, kind: &'static str, text: impl Into<Bytes>) -> Response<Page> {
    let mut response = Response::new(Page(Some(text.into())));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn describe(status: &Status) -> Value {
    let facts = status.facts();
    let nodes = status.nodes.iter().zip(&facts.nodes).map(|(node, facts)| {
        let listeners = facts.listeners.iter().map(|listener| {
            json!({
                "address": listener.cells.name,
                "kind": listener.info.kind,
                "connections": listener.cells.active(),
                "by_worker": listener.cells.workers.iter().map(ConnectionCells::active).collect::<Vec<_>>(),
            })
        });
        let certificates = facts.certificates.iter().map(|certificate| {
            let not_after = certificate.not_after.map(|seconds| {
                let seconds = u64::try_from(seconds).unwrap_or_default();
                timestamp_text(std::time::UNIX_EPOCH + Duration::from_secs(seconds))
            });
            json!({ "file": certificate.file, "not_after": not_after })
        });
        json!({
            "node": node.label,
            "workers": node.workers.len(),
            "listeners": listeners.collect::<Vec<_>>(),
            "certificates": certificates.collect::<Vec<_>>(),
            "not_acted_on": facts.not_acted_on,
        })
    });
    let bundle = &facts.bundle;
    let provenance = bundle
        .provenance
        .iter()
        .map(|(key, value)| (key.clone(), json!(value)));
    let last = facts.last_reload.as_ref().map(|last| {
        json!({
            "result": last.result.text(),
            "at": timestamp_text(last.at),
            "sentence": (!last.sentence.is_empty()).then_some(&last.sentence),
        })
    });
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "started": timestamp_text(status.started),
        "ready": status.is_ready(),
        "bundle": {
            "id": bundle.id,
            "mesh": bundle.mesh,
            "arms": bundle.arms,
            "loaded": timestamp_text(bundle.loaded),
            "signature": facts.approval.as_ref().map(|it| json!({
                "key": it.key.to_string(),
                "sequence": it.in_force.sequence,
                "valid_until": (it.not_after != Moment::NEVER).then(|| it.not_after.to_string()),
            })),
            "slice": bundle.slice,
            "provenance": provenance.collect::<serde_json::Map<_, _>>(),
        },
        "nodes": nodes.collect::<Vec<_>>(),
        "last_reload": last,
    })
}

/// A body that is one piece.
struct Page(Option<Bytes>);

impl Body for Page {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|text| Ok(Frame::data(text))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.0.as_ref().map_or(0, Bytes::len) as u64)
    }
}
