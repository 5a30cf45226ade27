//! The life of a request, from its head to the end of its response.
//!
//! [`answer`] is one function that is read from top to bottom, and the order is a promise: framing,
//! header hygiene, the path's normal form, the host, the route, then what the route says. Each phase
//! is a file; whatever refuses a request ends it there. What is known so far is carried in one
//! [`exchange::Exchange`]. Up to the sending nothing waits; then [`carry_out`] waits for the upstream.

pub(crate) mod body;
pub(crate) mod exchange;
mod forward;
pub(crate) mod forwarded;
mod framing;
mod hygiene;
pub(crate) mod progress;
pub(crate) mod recording;
mod reply;
mod view;

use std::convert::Infallible;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use hyper::body::{Body, Incoming};
use mesh_bundle::decide::Watched;
use mesh_bundle::format::{Arm, Endpoint, Id, Redirect, Service};
use mesh_bundle::host::Named;
use mesh_bundle::route::{self, Destination, Outcome};
use mesh_bundle::{Field, NormalPath, RequestView, host, policy, redirect};

use self::body::ReplyBody;
use self::exchange::Exchange;
use self::forward::{Forwarding, Way};
use self::framing::Target;
use self::hygiene::{Sender, Survey};
use self::reply::Refusal;
use self::view::View;
use crate::listen::connection::Connection;
use crate::node::Role;
use crate::snapshot::{Current, Entrance};
use crate::upstream::{Hop, balance};

/// How long a sidecar waits for a connection to its own application.
const APPLICATION_CONNECT: Duration = Duration::from_secs(5);

/// What becomes of a request.
enum Answer {
    /// An upstream answers. `te_trailers`: the client takes trailers.
    Forward {
        forwarding: Forwarding,
        te_trailers: bool,
    },
    /// An arm answers.
    Respond { status: u16, body: Bytes },
    /// The client is pointed elsewhere.
    Redirect { status: u16, location: String },
    /// The server itself was asked for its options.
    Options,
}

/// Takes a request from a connection. All that needs no waiting happens here and now; the rest when
/// the future is polled.
pub(crate) fn take(
    connection: &Rc<Connection>,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response<ReplyBody>, Infallible>> + use<> {
    let (parts, body) = request.into_parts();
    let survey = Survey::of(&parts.headers);
    let mut exchange = Exchange::begin(connection, &parts, &survey);
    let mut body = Some(body);
    let answer = answer(&mut exchange, parts, &survey, &mut body);
    // Answered before the body was read: what is left of it must not stand before the next head.
    let unread = body.filter(|body| !body.is_end_stream());
    let waits = exchange.expects_continue;
    let ends = unread.is_some_and(|body| connection.left_unread(body, waits));
    let connection = Rc::clone(connection);
    async move {
        let mut response = carry_out(exchange, answer).await;
        if ends || connection.is_ending() {
            response
                .headers_mut()
                .insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }
}

async fn carry_out(
    mut exchange: Box<Exchange>,
    answer: Result<Answer, Refusal>,
) -> Response<ReplyBody> {
    match answer {
        Ok(Answer::Forward {
            forwarding,
            te_trailers,
        }) => match forward::response(&mut exchange, forwarding).await {
            Ok(response) => forward::pass_on(exchange, te_trailers, response),
            Err(refusal) => reply::refuse(exchange, refusal),
        },
        Ok(Answer::Respond { status, body }) => reply::respond(exchange, status, body),
        Ok(Answer::Redirect { status, location }) => reply::redirect(exchange, status, location),
        Ok(Answer::Options) => reply::empty(exchange, StatusCode::NO_CONTENT),
        Err(refusal) => reply::refuse(exchange, refusal),
    }
}

fn answer(
    exchange: &mut Exchange,
    mut parts: Parts,
    survey: &Survey,
    body: &mut Option<Incoming>,
) -> Result<Answer, Refusal> {
    let current = Rc::clone(&exchange.current);
    let connection = Rc::clone(&exchange.connection);
    let entrance = connection.entrance();

    // Framing: what hyper leaves to us.
    let edge = matches!(entrance, Entrance::Gateway { .. });
    let target = framing::check(&parts, edge)?;
    let authority = framing::authority(&parts, survey)?;

    // Header hygiene, and who the client is.
    let sender = sender(&current, &connection, entrance);
    let kept = hygiene::request(&mut parts.headers, survey, sender)?;
    introduce(exchange, &mut parts, survey, sender, &authority);

    // The path's normal form is what is matched and what is forwarded.
    let host = framing::host(&authority)?;
    if target == Target::Server {
        return Ok(Answer::Options);
    }
    let path =
        NormalPath::parse(parts.uri.path(), current.snapshot.encoded_slash).map_err(bad_path)?;
    if let Some(port) = connection.redirect_port() {
        return Ok(to_https(&parts, &host, port, &path));
    }

    // Host and route.
    let asked = Asked {
        parts: &parts,
        host: &host,
        path: &path,
    };
    let way = match find(exchange, &current, entrance, asked)? {
        Found::Outcome(Outcome::Forward(to)) => way_to_service(exchange, &current, &to)?,
        Found::Application => way_to_application(exchange, &current)?,
        Found::Outcome(Outcome::NoArm) => return Err(Refusal::no_arm()),
        Found::Outcome(Outcome::BadPath(error)) => return Err(bad_path(error)),
        Found::Outcome(Outcome::Respond { arm, status, body }) => {
            exchange.decided(arm);
            let body = current.body(arm, body);
            return Ok(Answer::Respond { status, body });
        }
        Found::Outcome(Outcome::Redirect { arm, redirect }) => {
            exchange.decided(arm);
            return Ok(point_elsewhere(&connection, &current, redirect, arm, asked));
        }
    };

    // Forwarding.
    let path = path.is_changed().then(|| path.as_str().to_owned());
    let te_trailers = kept.te_trailers;
    let body = body.take().ok_or(Refusal::client_gone())?;
    let host = authority.clone();
    let request = forward::prepare(exchange, parts, body, way.hop, kept, path, host)?;
    let forwarding = forward::begin(exchange, request, way);
    Ok(Answer::Forward {
        forwarding,
        te_trailers,
    })
}

/// Whose word a request is.
fn sender(current: &Current, connection: &Connection, entrance: Entrance) -> Sender {
    match entrance {
        Entrance::Gateway { .. } if current.snapshot.is_trusted(connection.peer().ip()) => {
            Sender::TrustedProxy
        }
        Entrance::Gateway { .. } => Sender::Client,
        Entrance::Inbound => Sender::Mesh,
        Entrance::Outbound => Sender::Application,
    }
}

/// Finds out who the client is, and tells the next hop.
fn introduce(
    exchange: &mut Exchange,
    parts: &mut Parts,
    survey: &Survey,
    sender: Sender,
    host: &HeaderValue,
) {
    let trusted = sender == Sender::TrustedProxy;
    if !matches!(sender, Sender::Client | Sender::TrustedProxy) {
        exchange.request_id = forwarded::carried_id(&parts.headers, survey);
        return;
    }
    let connection = Rc::clone(&exchange.connection);
    let peer = connection.peer().ip();
    if trusted {
        let is_trusted = |address| exchange.current.snapshot.is_trusted(address);
        exchange.client = forwarded::client(&parts.headers, peer, is_trusted);
    }
    let worker = connection.worker();
    let random = || worker.random.borrow_mut().u128(..);
    exchange.request_id = forwarded::request_id(&mut parts.headers, survey, trusted, random);
    let (peer, scheme) = (connection.peer_value(), connection.scheme());
    forwarded::at_gateway(&mut parts.headers, survey, trusted, peer, scheme, host);
}

fn bad_path(error: mesh_bundle::PathError) -> Refusal {
    use mesh_bundle::PathError;
    Refusal::bad_request(match error {
        PathError::NotOrigin => "the target is no path",
        PathError::TooLong => return Refusal::uri_too_long(),
        PathError::Byte(_) => "the path holds a byte that must be escaped",
        PathError::Escape => "the path holds a malformed escape",
        PathError::EncodedControl => "the path holds an encoded control character",
        PathError::EncodedSlash => "the path holds an encoded slash or backslash",
        PathError::AboveRoot => "the path climbs above /",
    })
}

/// What is asked for, in normal form.
#[derive(Clone, Copy)]
struct Asked<'r> {
    parts: &'r Parts,
    host: &'r str,
    path: &'r NormalPath<'r>,
}

enum Found {
    Outcome(Outcome),
    /// The application that this sidecar stands before.
    Application,
}

/// Asks the bundle what the request meets, and records for the log what that depends on.
fn find(
    exchange: &Exchange,
    current: &Current,
    entrance: Entrance,
    asked: Asked<'_>,
) -> Result<Found, Refusal> {
    let connection = &exchange.connection;
    let snapshot = &current.snapshot;
    let view = View {
        names: &snapshot.header_names,
        method: &asked.parts.method,
        uri: &asked.parts.uri,
        headers: &asked.parts.headers,
        path: asked.path,
        host: asked.host,
        scheme: connection.scheme(),
        port: connection.port(),
        source: None,
        peer: connection.peer().ip(),
        client: exchange.client,
    };
    let as_caller = View {
        source: Some(&snapshot.source),
        ..view
    };
    let Some((recording, key)) = exchange.recording() else {
        return meet(exchange, current, entrance, asked.host, &view, as_caller);
    };
    let note = |_: Field<'_>, facet| recording.note(facet);
    let (seen, sent) = (Watched::new(view, &note), Watched::new(as_caller, &note));
    let found = meet(exchange, current, entrance, asked.host, &seen, sent);
    if !matches!(found, Ok(Found::Application)) {
        recording.close(current, key, &view);
    }
    found
}

/// What the request meets, `view` as it came in and `as_caller` as this node sends it on.
fn meet<V: RequestView>(
    exchange: &Exchange,
    current: &Current,
    entrance: Entrance,
    host: &str,
    view: &V,
    as_caller: V,
) -> Result<Found, Refusal> {
    let worker = exchange.connection.worker();
    let (bundle, snapshot) = (current.bundle(), &current.snapshot);
    let draw = &mut || worker.random.borrow_mut().u32(..);
    match (snapshot.role, entrance) {
        (Role::Gateway(gateway), _) => {
            let block = host::host_block(bundle, gateway, host).ok_or(Refusal::no_host())?;
            let outcome = route::at_gateway(bundle, block, view, |_| Ok(as_caller), draw);
            Ok(Found::Outcome(outcome))
        }
        (Role::Sidecar { service, .. }, Entrance::Outbound) => {
            let callee = match host::service(bundle, snapshot.namespace, host) {
                Named::Service(callee) => callee,
                Named::NotForThisNode | Named::Unknown => return Err(Refusal::call_denied()),
            };
            let outcome = route::at_sidecar(bundle, service, callee, &as_caller, draw);
            outcome.map(Found::Outcome).ok_or(Refusal::call_denied())
        }
        (Role::Sidecar { .. }, _) => Ok(Found::Application),
    }
}

fn to_https(parts: &Parts, host: &str, port: u16, path: &NormalPath<'_>) -> Answer {
    let asked = redirect::Asked {
        scheme: "http",
        host,
        port,
        path,
        query: parts.uri.query(),
    };
    Answer::Redirect {
        status: StatusCode::PERMANENT_REDIRECT.as_u16(),
        location: redirect::to_https(&asked, port),
    }
}

fn point_elsewhere(
    connection: &Connection,
    current: &Current,
    redirect: Id<Redirect>,
    arm: Id<Arm>,
    asked: Asked<'_>,
) -> Answer {
    let bundle = current.bundle();
    let (record, arm) = (bundle.redirect(redirect), bundle.arm(arm));
    let asked = redirect::Asked {
        scheme: connection.scheme(),
        host: asked.host,
        port: connection.local_port(),
        path: asked.path,
        query: asked.parts.uri.query(),
    };
    Answer::Redirect {
        status: record.status.get(),
        location: redirect::point(bundle, record, arm, &asked),
    }
}

fn way_to_service(
    exchange: &mut Exchange,
    current: &Current,
    destination: &Destination,
) -> Result<Way, Refusal> {
    let bundle = current.bundle();
    let index = current.destination_index(destination.service, destination.version);
    exchange.destined(index, destination.arm(), destination.gateway_arm);
    let worker = Rc::clone(exchange.connection.worker());
    let endpoint = balance::pick(
        &current.snapshot.weights,
        destination.endpoints(bundle),
        &mut worker.random.borrow_mut(),
        |endpoint| current.upstream(&worker, Id::new(endpoint as u32)).active(),
    );
    let endpoint = endpoint.ok_or(Refusal::no_endpoint())?;
    let upstream = Rc::clone(current.upstream(&worker, endpoint));
    let timeouts = policy::effective(bundle, &destination.levels);
    exchange.active = Some(upstream.enter());
    exchange.idle_limit = timeouts.idle;
    Ok(Way {
        hop: hop(current, destination.service, exchange.is_grpc),
        deadline: timeouts.request.map(|timeout| exchange.began + timeout),
        connect: timeouts.connect,
        upstream,
    })
}

/// To the application: the caller's proxy has chosen, and keeps the time.
fn way_to_application(exchange: &mut Exchange, current: &Current) -> Result<Way, Refusal> {
    let Role::Sidecar { service, endpoint } = current.snapshot.role else {
        return Err(Refusal::no_endpoint());
    };
    let bundle = current.bundle();
    let record: &Endpoint = bundle.endpoint(endpoint);
    let index = current.destination_index(service, record.version);
    exchange.destined(index, Id::NONE, Id::NONE);
    let upstream = Rc::clone(current.application(exchange.connection.worker(), endpoint));
    let mut levels = policy::Levels::NONE;
    levels.push(bundle.service(service).policy);
    levels.push(bundle.mesh().policy);
    exchange.active = Some(upstream.enter());
    exchange.idle_limit = policy::effective(bundle, &levels).idle;
    Ok(Way {
        hop: hop(current, service, exchange.is_grpc),
        deadline: None,
        connect: Some(APPLICATION_CONNECT),
        upstream,
    })
}

fn hop(current: &Current, service: Id<Service>, grpc: bool) -> Hop {
    Hop::of(current.bundle().service(service).protocol, grpc)
}
