//! What is known so far of a request that is being answered, until it has been.

use std::net::IpAddr;
use std::rc::Rc;
use std::task::Context;
use std::time::{Duration, Instant};

use http::request::Parts;
use http::{HeaderValue, Method, Uri, Version, header};
use mesh_bundle::asked::Key;
use mesh_bundle::format::{Arm, Id};
use smallvec::SmallVec;

use super::hygiene::{Present, Survey};
use super::progress::{BodyState, Progress};
use super::recording::Recording;
use crate::listen::connection::Connection;
use crate::snapshot::Current;
use crate::telemetry::access_log::Line;
use crate::telemetry::metrics::{DestinationCells, Flag};
use crate::upstream::pool::{Active, Lease};

/// The status that logs show where the client went away.
const CLIENT_GONE: u16 = 499;

/// One request and its response. However it ends, dropping it counts it, logs it, and gives back or
/// gives up the connection that it used.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) connection: Rc<Connection>,
    /// What was in force when it began, and is so for all of it.
    pub(crate) current: Rc<Current>,
    pub(crate) began: Instant,
    pub(crate) progress: Rc<Progress>,
    /// The client's address, through trusted proxies.
    pub(crate) client: IpAddr,
    pub(crate) request_id: SmallVec<[u8; 40]>,
    pub(crate) version: Version,
    pub(crate) is_grpc: bool,
    /// Whether the client waits to be told to send its body.
    pub(crate) expects_continue: bool,
    /// What the client would like to read.
    pub(crate) accept: Option<HeaderValue>,
    /// What the line of the access log needs, where there is one.
    logged: Option<Logged>,
    code: u16,
    flag: Flag,
    bytes_out: u64,
    gateway_arm: Id<Arm>,
    arm: Id<Arm>,
    destination: Option<usize>,
    pub(crate) attempts: u32,
    pub(crate) active: Option<Active>,
    pub(crate) lease: Option<Lease>,
    pub(crate) idle_limit: Option<Duration>,
    ended: bool,
}

#[derive(Debug)]
struct Logged {
    method: Method,
    uri: Uri,
    host: Option<HeaderValue>,
    user_agent: Option<HeaderValue>,
    recording: Recording,
}

impl Exchange {
    pub(crate) fn begin(connection: &Rc<Connection>, parts: &Parts, survey: &Survey) -> Box<Self> {
        let worker = connection.worker();
        let logged = worker.log.is_some().then(|| Logged {
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            host: survey.host.clone(),
            user_agent: parts.headers.get(header::USER_AGENT).cloned(),
            recording: Recording::default(),
        });
        Box::new(Self {
            current: worker.current(),
            began: Instant::now(),
            progress: connection.begin(),
            client: connection.peer().ip(),
            connection: Rc::clone(connection),
            request_id: SmallVec::new(),
            version: parts.version,
            is_grpc: survey.is_grpc,
            expects_continue: survey.present.has(Present::EXPECT),
            accept: survey.accept.clone(),
            logged,
            code: 0,
            flag: Flag::None,
            bytes_out: 0,
            gateway_arm: Id::NONE,
            arm: Id::NONE,
            destination: None,
            attempts: 0,
            active: None,
            lease: None,
            idle_limit: None,
            ended: false,
        })
    }

    /// Where the fields that decisions ask for are noted, and what their values are hashed with; none where nothing
    /// is logged.
    pub(crate) fn recording(&self) -> Option<(&Recording, &Key)> {
        let log = self.connection.worker().log.as_ref();
        Some((&self.logged.as_ref()?.recording, log?.key()))
    }

    /// Notes the arm that answers.
    pub(crate) fn decided(&mut self, arm: Id<Arm>) {
        self.arm = arm;
    }

    /// Notes where the request goes and who says so.
    pub(crate) fn destined(&mut self, destination: usize, arm: Id<Arm>, gateway_arm: Id<Arm>) {
        self.destination = Some(destination);
        self.arm = arm;
        self.gateway_arm = gateway_arm;
    }

    pub(crate) fn destination(&self) -> Option<&DestinationCells> {
        let worker = self.connection.worker();
        self.destination
            .map(|index| self.current.destination(worker, index))
    }

    /// Notes the response's status.
    pub(crate) fn answered(&mut self, code: u16) {
        self.code = code;
    }

    /// Notes what went wrong; the first thing that did counts.
    pub(crate) fn flag(&mut self, flag: Flag) {
        if self.flag == Flag::None {
            self.flag = flag;
        }
    }

    #[inline]
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.bytes_out += bytes as u64;
        self.progress.moved();
    }

    pub(crate) fn poll_overdue(&self, cx: &mut Context<'_>) -> Option<Flag> {
        self.progress.poll_overdue(cx)
    }

    /// Ends the exchange: the response was passed on to its end, or not.
    pub(crate) fn end(mut self: Box<Self>, complete: bool) {
        self.finish(complete);
    }

    fn finish(&mut self, complete: bool) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let now = Instant::now();
        if !complete {
            self.broke_off();
        }
        let took = now.saturating_duration_since(self.began);
        let worker = self.connection.worker();
        let destined = self.destination.is_some();
        let arm = self
            .current
            .arm(self.arm)
            .unwrap_or_else(|| self.current.no_arm(destined));
        arm.cells.count(&worker.metrics, self.code, self.flag);
        if let Some(destination) = self.destination() {
            destination.record(took);
        }
        if self.logged.is_some() {
            self.log(took);
        }
        match self.lease.take() {
            Some(lease) if complete => lease.release(now, self.idle_limit),
            given_up => drop(given_up),
        }
        self.active = None;
        self.progress.stop();
        self.connection.end(now);
    }

    /// The response has not reached its end: who is to blame?
    fn broke_off(&mut self) {
        let broken = self.progress.request_body.get() == BodyState::Broken;
        if let Some(late) = self.progress.overdue() {
            self.flag(late);
        } else if self.flag == Flag::None || broken {
            self.flag = Flag::ClientGone;
            self.code = CLIENT_GONE;
        }
    }

    fn place(&self, arm: Id<Arm>) -> Option<&str> {
        self.current.arm(arm)?.place.as_deref()
    }

    #[inline(never)]
    fn log(&self, took: Duration) {
        let worker = self.connection.worker();
        let (Some(logged), Some(log)) = (&self.logged, &worker.log) else {
            return;
        };
        let destination = self
            .destination
            .map(|index| self.current.destination_text(worker, index));
        let authority = logged.uri.authority().map(http::uri::Authority::as_str);
        let host = authority.or_else(|| logged.host.as_ref()?.to_str().ok());
        let host = host.map(|host| mesh_bundle::host::normalise(host).unwrap_or(host.into()));
        let upstream = self.active.as_ref().map(Active::upstream);
        log.write(&Line {
            began: worker.clock.milliseconds_at(self.began),
            node: &worker.node.label,
            entrance: self.connection.entrance().word(),
            scheme: self.connection.scheme(),
            port: self.connection.port(),
            method: logged.method.as_str(),
            path: logged.uri.path(),
            protocol: protocol(self.version),
            host: host.as_deref(),
            code: self.code,
            flags: self.flag.text(),
            took,
            bytes_in: self.progress.bytes_in.get(),
            bytes_out: self.bytes_out,
            service: destination,
            endpoint: upstream.map(|upstream| &*upstream.text),
            arm: self.place(self.arm),
            gateway_arm: self.place(self.gateway_arm),
            source: self.connection.source(&self.current),
            attempts: self.attempts,
            bundle: self.current.bundle_id(),
            request_id: Some(&*self.request_id).filter(|id| !id.is_empty()),
            client: self.client,
            user_agent: logged.user_agent.as_ref().map(HeaderValue::as_bytes),
            asked: logged.recording.members(),
        });
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.finish(false);
    }
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2",
        _ => "HTTP/1.1",
    }
}
