//! The access log: one JSON line per request.
//!
//! A worker writes its lines into a buffer of its own. Full, or at latest after 50 ms, the buffer
//! goes to the one thread that writes them all; if that thread cannot keep up, lines are dropped and
//! counted, never waited for. Lines name the path without its query, and of headers the user agent and
//! what policies ask for: see [`mesh_bundle::asked`] for what is written of those. `ACCESS_LOG.md`
//! describes all fields.

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::future::poll_fn;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::task::{Poll, Waker};
use std::thread::JoinHandle;
use std::time::Duration;

use mesh_bundle::asked::Key;

use super::clock::timestamp;
use crate::wheel::Wheel;

/// A buffer this full is handed over.
const BUFFER: usize = 32 * 1024;
/// A line waits at most this long in its worker.
const DELAY: Duration = Duration::from_millis(50);
/// Buffers that may wait for the writer: 8 MiB.
const QUEUE: usize = 256;

/// Where the access log goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AccessLog {
    /// Nowhere: no line is ever written.
    #[default]
    Off,
    /// To standard output.
    Stdout,
    /// To a file, at its end. SIGHUP opens it anew, for whoever rotates it.
    File(PathBuf),
}

/// One request, as it is logged.
#[derive(Debug)]
pub(crate) struct Line<'l> {
    /// When the request began, in milliseconds since 1970.
    pub(crate) began: u64,
    pub(crate) node: &'l str,
    /// `gateway`, `inbound` or `outbound`.
    pub(crate) entrance: &'static str,
    pub(crate) scheme: &'static str,
    /// The listener's, as the mesh declares it.
    pub(crate) port: u16,
    pub(crate) method: &'l str,
    pub(crate) path: &'l str,
    pub(crate) protocol: &'static str,
    pub(crate) host: Option<&'l str>,
    pub(crate) code: u16,
    pub(crate) flags: &'static str,
    pub(crate) took: Duration,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) service: Option<&'l str>,
    pub(crate) endpoint: Option<&'l str>,
    /// `file:line` of the arm that had the last word.
    pub(crate) arm: Option<&'l str>,
    pub(crate) gateway_arm: Option<&'l str>,
    pub(crate) source: Option<&'l str>,
    pub(crate) attempts: u32,
    pub(crate) bundle: &'l str,
    pub(crate) request_id: Option<&'l [u8]>,
    pub(crate) client: IpAddr,
    pub(crate) user_agent: Option<&'l [u8]>,
    /// The fields that decisions asked for, as members of a JSON object; none where nothing was decided.
    pub(crate) asked: Option<&'l [u8]>,
}

impl Line<'_> {
    /// Appends the line.
    fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(b"{\"ts\":\"");
        to.extend_from_slice(&timestamp(self.began));
        to.extend_from_slice(b"\",\"node\":");
        string(to, self.node.as_bytes());
        to.extend_from_slice(b",\"entrance\":\"");
        to.extend_from_slice(self.entrance.as_bytes());
        to.extend_from_slice(b"\",\"scheme\":\"");
        to.extend_from_slice(self.scheme.as_bytes());
        to.extend_from_slice(b"\",\"port\":");
        number(to, self.port.into());
        to.extend_from_slice(b",\"method\":");
        string(to, self.method.as_bytes());
        to.extend_from_slice(b",\"path\":");
        string(to, self.path.as_bytes());
        to.extend_from_slice(b",\"protocol\":\"");
        to.extend_from_slice(self.protocol.as_bytes());
        to.extend_from_slice(b"\",\"host\":");
        optional(to, self.host.map(str::as_bytes));
        to.extend_from_slice(b",\"code\":");
        number(to, self.code.into());
        to.extend_from_slice(b",\"flags\":\"");
        to.extend_from_slice(self.flags.as_bytes());
        to.extend_from_slice(b"\",\"ms\":");
        milliseconds(to, self.took);
        to.extend_from_slice(b",\"bytes_in\":");
        number(to, self.bytes_in);
        to.extend_from_slice(b",\"bytes_out\":");
        number(to, self.bytes_out);
        to.extend_from_slice(b",\"service\":");
        optional(to, self.service.map(str::as_bytes));
        to.extend_from_slice(b",\"endpoint\":");
        optional(to, self.endpoint.map(str::as_bytes));
        to.extend_from_slice(b",\"arm\":");
        optional(to, self.arm.map(str::as_bytes));
        to.extend_from_slice(b",\"gateway_arm\":");
        optional(to, self.gateway_arm.map(str::as_bytes));
        to.extend_from_slice(b",\"source\":");
        optional(to, self.source.map(str::as_bytes));
        to.extend_from_slice(b",\"attempts\":");
        number(to, self.attempts.into());
        to.extend_from_slice(b",\"bundle\":\"");
        to.extend_from_slice(self.bundle.as_bytes());
        to.extend_from_slice(b"\",\"request_id\":");
        optional(to, self.request_id);
        to.extend_from_slice(b",\"client_ip\":\"");
        address(to, self.client);
        to.extend_from_slice(b"\",\"user_agent\":");
        optional(to, self.user_agent);
        to.extend_from_slice(b",\"asked\":");
        match self.asked {
            Some(members) => {
                to.push(b'{');
                to.extend_from_slice(members);
                to.push(b'}');
            }
            None => to.extend_from_slice(b"null"),
        }
        to.extend_from_slice(b"}\n");
    }
}

fn number(to: &mut Vec<u8>, value: u64) {
    to.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Milliseconds with three digits behind the point.
fn milliseconds(to: &mut Vec<u8>, duration: Duration) {
    let microseconds = duration.as_micros() as u64;
    number(to, microseconds / 1000);
    let rest = microseconds % 1000;
    to.extend_from_slice(&[
        b'.',
        b'0' + (rest / 100) as u8,
        b'0' + (rest / 10 % 10) as u8,
        b'0' + (rest % 10) as u8,
    ]);
}

pub(crate) fn address(to: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(v4) => {
            for (index, byte) in v4.octets().into_iter().enumerate() {
                if index > 0 {
                    to.push(b'.');
                }
                number(to, byte.into());
            }
        }
        // Writing into a Vec cannot fail.
        IpAddr::V6(v6) => drop(write!(to, "{v6}")),
    }
}

fn optional(to: &mut Vec<u8>, text: Option<&[u8]>) {
    match text {
        Some(text) => string(to, text),
        None => to.extend_from_slice(b"null"),
    }
}

/// A JSON string. Control characters are escaped; what is no UTF-8 is replaced.
pub(crate) fn string(to: &mut Vec<u8>, text: &[u8]) {
    to.push(b'"');
    if text.iter().all(|&byte| PLAIN[usize::from(byte)]) {
        to.extend_from_slice(text);
    } else {
        escaped(to, text);
    }
    to.push(b'"');
}

/// Bytes that stand for themselves in a JSON string.
const PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0x20;
    while byte < 0x7f {
        table[byte] = !matches!(byte as u8, b'"' | b'\\');
        byte += 1;
    }
    table
};

#[cold]
fn escaped(to: &mut Vec<u8>, text: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for character in String::from_utf8_lossy(text).chars() {
        match character {
            '"' | '\\' => to.extend_from_slice(&[b'\\', character as u8]),
            '\0'..='\x1f' | '\x7f'..='\u{9f}' => {
                let code = character as usize;
                to.extend_from_slice(b"\\u00");
                to.extend_from_slice(&[HEX[code >> 4], HEX[code & 15]]);
            }
            _ => to.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

#[derive(Debug)]
enum Message {
    Lines(Vec<u8>),
    Reopen,
}

/// The thread that writes.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: SyncSender<Message>,
    thread: JoinHandle<()>,
    dropped: Arc<AtomicU64>,
    key: Key,
}

impl Writer {
    /// Starts the thread; `None` if there is nothing to write to. Values are hashed with `key`, or with one that
    /// only this process has.
    pub(crate) fn start(target: &AccessLog, key: Option<&Key>) -> io::Result<Option<Self>> {
        let output = match target {
            AccessLog::Off => return Ok(None),
            AccessLog::Stdout => Output::Stdout,
            AccessLog::File(path) => Output::File(open(path)?, path.clone()),
        };
        let key = match key {
            Some(key) => key.clone(),
            None => random_key()?,
        };
        let (queue, messages) = sync_channel(QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&dropped);
        let thread = std::thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || write_all(output, &messages, &counted))?;
        Ok(Some(Self {
            queue,
            thread,
            dropped,
            key,
        }))
    }

    /// A way in for a worker.
    pub(crate) fn inlet(&self) -> Inlet {
        Inlet {
            queue: self.queue.clone(),
            dropped: Arc::clone(&self.dropped),
            key: self.key.clone(),
        }
    }

    /// Opens the file anew.
    pub(crate) fn reopen(&self) {
        // A full queue means that the writer hangs; then there is nothing to gain.
        let _ = self.queue.try_send(Message::Reopen);
    }

    /// Lines that were dropped so far.
    pub(crate) fn dropped(&self) -> &Arc<AtomicU64> {
        &self.dropped
    }

    /// Waits until everything is written. All inlets must be gone.
    pub(crate) fn finish(self) {
        drop(self.queue);
        drop(self.thread.join());
    }
}

fn random_key() -> io::Result<Key> {
    let mut bytes = [0; 32];
    let random = rustls::crypto::aws_lc_rs::default_provider().secure_random;
    random
        .fill(&mut bytes)
        .map_err(|_| io::Error::other("the machine gives no random bytes"))?;
    Ok(Key::new(bytes))
}

#[derive(Debug)]
enum Output {
    Stdout,
    File(File, PathBuf),
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn write_all(mut output: Output, messages: &Receiver<Message>, dropped: &AtomicU64) {
    for message in messages {
        let lines = match message {
            Message::Lines(lines) => lines,
            Message::Reopen => {
                if let Output::File(file, path) = &mut output
                    && let Ok(anew) = open(path)
                {
                    *file = anew;
                }
                continue;
            }
        };
        let written = match &mut output {
            Output::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(&lines).and_then(|()| stdout.flush())
            }
            Output::File(file, _) => file.write_all(&lines),
        };
        if written.is_err() {
            dropped.fetch_add(count(&lines), Ordering::Relaxed);
        }
    }
}

fn count(lines: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', lines).count() as u64
}

/// A worker's way to the writer; goes to the worker's thread and becomes a [`Sink`] there.
#[derive(Debug)]
pub(crate) struct Inlet {
    queue: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
    key: Key,
}

/// A worker's lines.
#[derive(Debug)]
pub(crate) struct Sink {
    inlet: Inlet,
    lines: RefCell<Vec<u8>>,
    /// Wakes the task that hands lines over in time; there is one only while there are no lines.
    flusher: RefCell<Option<Waker>>,
}

impl Sink {
    pub(crate) fn new(inlet: Inlet) -> Rc<Self> {
        Rc::new(Self {
            inlet,
            lines: RefCell::default(),
            flusher: RefCell::new(None),
        })
    }

    /// What values are hashed with.
    pub(crate) fn key(&self) -> &Key {
        &self.inlet.key
    }

    /// Writes a line.
    pub(crate) fn write(&self, line: &Line<'_>) {
        let mut lines = self.lines.borrow_mut();
        if lines.is_empty() {
            if lines.capacity() == 0 {
                lines.reserve(BUFFER + 2048);
            }
            if let Some(flusher) = self.flusher.take() {
                flusher.wake();
            }
        }
        line.write(&mut lines);
        let full = lines.len() >= BUFFER;
        drop(lines);
        if full {
            self.flush();
        }
    }

    /// Hands over what there is.
    pub(crate) fn flush(&self) {
        let lines = self.lines.take();
        if lines.is_empty() {
            return;
        }
        match self.inlet.queue.try_send(Message::Lines(lines)) {
            Ok(()) => {}
            Err(TrySendError::Full(message) | TrySendError::Disconnected(message)) => {
                if let Message::Lines(lines) = message {
                    self.inlet
                        .dropped
                        .fetch_add(count(&lines), Ordering::Relaxed);
                }
            }
        }
    }

    /// Sees to it that no line waits long.
    pub(crate) async fn flush_in_time(self: Rc<Self>, wheel: Rc<Wheel>) {
        loop {
            poll_fn(|cx| {
                if self.lines.borrow().is_empty() {
                    *self.flusher.borrow_mut() = Some(cx.waker().clone());
                    Poll::Pending
                } else {
                    Poll::Ready(())
                }
            })
            .await;
            wheel.sleep(DELAY).await;
            self.flush();
        }
    }
}

/// Addresses, as lines name them.
pub(crate) fn address_text(address: SocketAddr) -> Box<str> {
    address.to_string().into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn line() -> Line<'static> {
        Line {
            began: 1_795_165_200_123,
            node: "gateway/edge",
            entrance: "gateway",
            scheme: "http",
            port: 80,
            method: "GET",
            path: "/reviews/7",
            protocol: "HTTP/1.1",
            host: Some("reviews"),
            code: 200,
            flags: "-",
            took: Duration::from_micros(3_250),
            bytes_in: 0,
            bytes_out: 12,
            service: Some("reviews.v2"),
            endpoint: Some("127.0.0.1:9082"),
            arm: Some("bookinfo.mesh:31"),
            gateway_arm: None,
            source: None,
            attempts: 1,
            bundle: "b3:9f2c00000000",
            request_id: Some(b"5a0e"),
            client: IpAddr::from([127, 0, 0, 1]),
            user_agent: Some(b"curl/8"),
            asked: Some(br#""header.x-team":"qa","cookie.c":null"#),
        }
    }

    fn written(line: &Line<'_>) -> Value {
        let mut text = Vec::new();
        line.write(&mut text);
        assert_eq!(memchr::memchr_iter(b'\n', &text).count(), 1);
        assert!(text.ends_with(b"\n"));
        serde_json::from_slice(&text).unwrap()
    }

    #[test]
    fn a_line_is_json() {
        assert_eq!(
            written(&line()),
            json!({
                "ts": "2026-11-20T09:00:00.123Z", "node": "gateway/edge",
                "entrance": "gateway", "scheme": "http", "port": 80, "method": "GET",
                "path": "/reviews/7", "protocol": "HTTP/1.1", "host": "reviews", "code": 200,
                "flags": "-", "ms": 3.25, "bytes_in": 0, "bytes_out": 12,
                "service": "reviews.v2", "endpoint": "127.0.0.1:9082", "arm": "bookinfo.mesh:31",
                "gateway_arm": null, "source": null, "attempts": 1, "bundle": "b3:9f2c00000000",
                "request_id": "5a0e", "client_ip": "127.0.0.1", "user_agent": "curl/8",
                "asked": {"header.x-team": "qa", "cookie.c": null},
            })
        );
    }

    #[test]
    fn whatever_a_client_sends_stays_one_json_string() {
        let hostile = b"a\"b\\c\n\r\x00\x1b[31m\x7f\xff\xc2\x85\xc3\xa9";
        let line = Line {
            user_agent: Some(hostile),
            request_id: Some(b"\"},{\""),
            client: "2001:db8::1".parse().unwrap(),
            ..line()
        };
        let written = written(&line);
        assert_eq!(
            written["user_agent"],
            "a\"b\\c\n\r\0\u{1b}[31m\u{7f}\u{fffd}\u{85}\u{e9}"
        );
        assert_eq!(written["request_id"], "\"},{\"");
        assert_eq!(written["client_ip"], "2001:db8::1");
        let mut text = Vec::new();
        line.write(&mut text);
        let control = |&byte: &u8| byte < 0x20 || byte == 0x7f;
        assert_eq!(
            text.iter().filter(|&byte| control(byte)).count(),
            1,
            "only the line's end"
        );
    }

    #[test]
    fn lines_reach_the_file_and_it_can_be_rotated() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("access.log");
        let writer = Writer::start(&AccessLog::File(path.clone()), None)
            .unwrap()
            .unwrap();
        let sink = Sink::new(writer.inlet());
        sink.write(&line());
        sink.flush();
        let old = directory.path().join("access.log.1");
        let written = |path: &Path| std::fs::read(path).map_or(0, |text| count(&text));
        let until = std::time::Instant::now() + Duration::from_secs(10);
        while written(&path) < 1 {
            assert!(std::time::Instant::now() < until);
            std::thread::yield_now();
        }
        std::fs::rename(&path, &old).unwrap();
        writer.reopen();
        sink.write(&line());
        sink.write(&line());
        sink.flush();
        drop(sink);
        writer.finish();
        assert_eq!((written(&old), written(&path)), (1, 2));
    }

    #[test]
    fn what_the_writer_cannot_take_is_dropped_and_counted() {
        let (queue, messages) = sync_channel(1);
        let dropped = Arc::new(AtomicU64::new(0));
        let inlet = Inlet {
            queue,
            dropped: Arc::clone(&dropped),
            key: Key::new([0; 32]),
        };
        let sink = Sink::new(inlet);
        for _ in 0..3 {
            sink.write(&line());
            sink.write(&line());
            sink.flush();
        }
        assert_eq!(dropped.load(Ordering::Relaxed), 4);
        drop(messages);
        sink.write(&line());
        sink.flush();
        assert_eq!(dropped.load(Ordering::Relaxed), 5);
    }
}
