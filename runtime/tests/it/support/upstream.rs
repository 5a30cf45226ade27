//! Upstreams: servers that remember what they were asked, and answer as they are told.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};

pub type Body = BoxBody<Bytes, Infallible>;
type Answer = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;
type Handler = dyn Fn(Request<Incoming>) -> Answer + Send + Sync;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub target: String,
    pub version: http::Version,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub trailers: Vec<(String, String)>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<String> {
        let lines = self.headers.iter().filter(|(it, _)| it == name);
        let values: Vec<&str> = lines.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(" | "))
    }
}

/// A server for HTTP/1 and HTTP/2 on one port.
#[derive(Clone)]
pub struct Upstream {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
}

pub fn body(text: impl Into<Bytes>) -> Body {
    Full::new(text.into()).boxed()
}

pub fn fields(map: &http::HeaderMap) -> Vec<(String, String)> {
    let fields = map.iter();
    fields
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect()
}

impl Upstream {
    /// Answers 200 with its name, after having read the request whole.
    pub fn start(name: &'static str) -> Self {
        Self::answering(name, move |_| Response::new(body(format!("{name}\n"))))
    }

    /// Answers as told, after having read the request whole.
    pub fn answering(
        name: &'static str,
        answer: impl Fn(&Seen) -> Response<Body> + Send + Sync + 'static,
    ) -> Self {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let answer = Arc::new(answer);
        let log = Arc::clone(&seen);
        let handler = move |request: Request<Incoming>| {
            let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
            Box::pin(async move {
                let (parts, body) = request.into_parts();
                let Ok(collected) = body.collect().await else {
                    return Response::new(self::body(""));
                };
                let one = Seen {
                    method: parts.method.to_string(),
                    target: parts.uri.to_string(),
                    version: parts.version,
                    headers: fields(&parts.headers),
                    trailers: collected.trailers().map_or(Vec::new(), fields),
                    body: collected.to_bytes().to_vec(),
                };
                let mut response = answer(&one);
                response
                    .headers_mut()
                    .insert("x-served-by", name.parse().unwrap());
                log.lock().unwrap().push(one);
                response
            }) as Answer
        };
        Self::serving(Arc::new(handler), seen)
    }

    /// Answers as a handler does that gets the request as it comes.
    pub fn handling<F>(handler: impl Fn(Request<Incoming>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let handler = move |request| Box::pin(handler(request)) as Answer;
        Self::serving(Arc::new(handler), Arc::default())
    }

    fn serving(handler: Arc<Handler>, seen: Arc<Mutex<Vec<Seen>>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let open = Arc::new(AtomicUsize::new(0));
        let counters = (Arc::clone(&connections), Arc::clone(&open));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let (connections, open) = counters.clone();
                    connections.fetch_add(1, Ordering::SeqCst);
                    open.fetch_add(1, Ordering::SeqCst);
                    let handler = Arc::clone(&handler);
                    tokio::spawn(async move {
                        serve(stream, handler).await;
                        open.fetch_sub(1, Ordering::SeqCst);
                    });
                }
            });
        });
        Self {
            address,
            seen,
            connections,
            open,
        }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub fn last(&self) -> Seen {
        self.seen
            .lock()
            .unwrap()
            .last()
            .cloned()
            .expect("a request")
    }

    /// Connections that were ever made.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Connections that are open.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

async fn serve(stream: tokio::net::TcpStream, handler: Arc<Handler>) {
    stream.set_nodelay(true).unwrap();
    let mut first = [0; 3];
    // The preface of HTTP/2 begins with `PRI`, and no method does.
    loop {
        match stream.peek(&mut first).await {
            Ok(0) | Err(_) => return,
            Ok(3) => break,
            Ok(_) => tokio::task::yield_now().await,
        }
    }
    let service = service_fn(move |request| {
        let answer = handler(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    // How a connection ends is what the tests are about.
    if first == *b"PRI" {
        let builder = http2::Builder::new(TokioExecutor::new());
        let _ = builder
            .serve_connection(TokioIo::new(stream), service)
            .await;
    } else {
        let _ = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }
}

/// A server that is given the bare connections, each on a thread of its own.
#[derive(Clone, Debug)]
pub struct Raw {
    pub address: SocketAddr,
    pub connections: Arc<AtomicUsize>,
}

impl Raw {
    /// `serve` gets the connection and how many came before it.
    pub fn start(serve: impl Fn(TcpStream, usize) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let serve = Arc::new(serve);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let number = count.fetch_add(1, Ordering::SeqCst);
                let serve = Arc::clone(&serve);
                std::thread::spawn(move || serve(stream.unwrap(), number));
            }
        });
        Self {
            address,
            connections,
        }
    }

    /// Reads a head and answers each with these bytes, then closes.
    pub fn saying(bytes: &[u8]) -> Self {
        let bytes = bytes.to_vec();
        Self::start(move |mut stream, _| {
            read_head(&mut stream);
            let _ = stream.write_all(&bytes);
        })
    }
}

/// Reads up to the end of a head.
pub fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1..) => head.push(byte[0]),
            Ok(0) | Err(_) => return None,
        }
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}
