//! Clients: HTTP/1 byte by byte over a blocking socket, HTTP/2 through hyper.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::TokioIo;

use super::PATIENCE;

/// A response, read whole.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Fields behind a chunked body.
    pub trailers: Vec<(String, String)>,
}

impl Reply {
    /// A header's value; joined where there are several lines.
    pub fn header(&self, name: &str) -> Option<String> {
        let lines = self.headers.iter().filter(|(it, _)| it == name);
        let values: Vec<&str> = lines.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(" | "))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// An HTTP/1 connection.
#[derive(Debug)]
pub struct Http1 {
    pub stream: TcpStream,
    buffer: Vec<u8>,
}

impl Http1 {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let buffer = Vec::new();
        Self { stream, buffer }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.stream.write_all(bytes.as_ref()).unwrap();
        self
    }

    /// A request with nothing but a host.
    pub fn get(&mut self, host: &str, target: &str) -> Reply {
        self.send(format!("GET {target} HTTP/1.1\r\nhost: {host}\r\n\r\n"));
        self.reply()
    }

    /// Reads more; `false` at the end.
    fn fill(&mut self) -> bool {
        let mut chunk = [0; 16 * 1024];
        let read = match self.stream.read(&mut chunk) {
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => 0,
            Err(error) => panic!("nothing to read: {error}"),
        };
        self.buffer.extend_from_slice(&chunk[..read]);
        read > 0
    }

    fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|it| it == b"\r\n") {
                let line: Vec<u8> = self.buffer.drain(..end + 2).collect();
                return Some(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            if !self.fill() {
                return None;
            }
        }
    }

    fn exactly(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.buffer.len() < length {
            if !self.fill() {
                return None;
            }
        }
        Some(self.buffer.drain(..length).collect())
    }

    fn fields(&mut self) -> Option<Vec<(String, String)>> {
        let mut fields = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Some(fields);
            }
            let (name, value) = line.split_once(':').unwrap();
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    /// Status and headers.
    pub fn head(&mut self) -> Option<Reply> {
        let status = self.line()?;
        let status = status.split(' ').nth(1).unwrap().parse().unwrap();
        let headers = self.fields()?;
        let (body, trailers) = (Vec::new(), Vec::new());
        Some(Reply {
            status,
            headers,
            body,
            trailers,
        })
    }

    #[track_caller]
    pub fn reply(&mut self) -> Reply {
        self.try_reply().expect("a whole response")
    }

    /// A response to HEAD.
    pub fn reply_without_body(&mut self) -> Reply {
        self.head().unwrap()
    }

    /// `None` if the connection ends before the response does.
    pub fn try_reply(&mut self) -> Option<Reply> {
        let mut reply = self.head()?;
        while reply.status == 100 {
            reply = self.head()?;
        }
        if matches!(reply.status, 204 | 304) {
            return Some(reply);
        }
        if reply.header("transfer-encoding").is_some() {
            loop {
                let size = self.line()?;
                let size = usize::from_str_radix(size.split(';').next()?, 16).ok()?;
                if size == 0 {
                    reply.trailers = self.fields()?;
                    return Some(reply);
                }
                let chunk = self.exactly(size + 2)?;
                reply.body.extend_from_slice(&chunk[..size]);
            }
        }
        let length = reply
            .header("content-length")
            .expect("a length")
            .parse()
            .unwrap();
        reply.body = self.exactly(length)?;
        Some(reply)
    }

    /// Whether the other side has ended the connection, having sent nothing more.
    #[track_caller]
    pub fn is_closed(&mut self) -> bool {
        self.buffer.is_empty() && !self.fill()
    }

    /// Whether the connection stays open and silent for a moment.
    pub fn is_open(&mut self) -> bool {
        self.stream
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        let mut byte = [0];
        let read = self.stream.peek(&mut byte);
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        matches!(read, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
    }
}

/// One request on a connection of its own.
#[track_caller]
pub fn get(address: SocketAddr, host: &str, target: &str) -> Reply {
    Http1::connect(address).get(host, target)
}

/// One request, written out. `\n` stands for CRLF.
#[track_caller]
pub fn send(address: SocketAddr, text: &str) -> Reply {
    Http1::connect(address)
        .send(text.replace('\n', "\r\n"))
        .reply()
}

/// A body for requests.
pub type Whole = Full<Bytes>;

/// An HTTP/2 connection in the clear, by prior knowledge. Within [`super::block_on`].
pub async fn http2<B>(address: SocketAddr) -> http2::SendRequest<B>
where
    B: http_body::Body + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    http2_over(stream).await
}

pub async fn http2_over<S, B>(stream: S) -> http2::SendRequest<B>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + 'static,
    B: http_body::Body + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let builder = http2::Builder::new(Local);
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
    tokio::task::spawn_local(async move {
        // How it ends shows in what was sent over it.
        let _ = connection.await;
    });
    sender
}

/// A request of HTTP/2.
pub fn request2(host: &str, target: &str) -> http::request::Builder {
    Request::builder().uri(format!("http://{host}{target}"))
}

/// Reads a response whole.
pub async fn whole(response: Response<Incoming>) -> Reply {
    let (parts, body) = response.into_parts();
    let collected = body.collect().await.unwrap();
    let fields = |map: &http::HeaderMap| {
        let fields = map.iter();
        let fields =
            fields.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        fields.collect::<Vec<_>>()
    };
    Reply {
        status: parts.status.as_u16(),
        headers: fields(&parts.headers),
        trailers: collected.trailers().map_or(Vec::new(), fields),
        body: collected.to_bytes().to_vec(),
    }
}

#[derive(Clone, Copy, Debug)]
struct Local;

impl<F: Future + 'static> hyper::rt::Executor<F> for Local {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}
