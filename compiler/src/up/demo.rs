//! Upstream servers in this process: the applications of the bookinfo example by their names, and an echo
//! for every other service.

use super::local::{Local, local_endpoints};
use crate::cli::Failure;
use crate::model::{Arm, DEFAULT_NAMESPACE, ListenerKind, Mesh, Service};
use mesh_bundle::format::Protocol;
use mesh_demo::{Running, Server, ServerName};
use mesh_lang::value::{HostPattern, PathPattern, Segment};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::mpsc::sync_channel;
use tokio::sync::oneshot;

/// Servers that run until this is dropped.
#[derive(Debug)]
pub(super) struct Demo {
    _stop: oneshot::Sender<()>,
}

/// A server to start.
struct Upstream {
    server: Server,
    /// What its responses call it: `web-blue`.
    served_by: String,
    listen: SocketAddr,
}

/// Starts a server for every endpoint on this machine that takes requests.
pub(super) fn start(mesh: &Mesh, local: &Local) -> Result<Demo, Failure> {
    let endpoints = local_endpoints(mesh);
    let of_requests = endpoints.filter(|(it, _)| it.protocol.value != Protocol::Tcp);
    let servers: Vec<Upstream> = of_requests
        .map(|(service, endpoint)| {
            let listen = endpoint.address;
            let written = written(service, listen);
            let name = ServerName::parse(&written).unwrap_or(ServerName::Echo);
            let outbound = local.outbound(listen);
            Upstream {
                server: Server { name, outbound },
                served_by: written.replace(['.', '/'], "-"),
                listen,
            }
        })
        .collect();
    if servers.is_empty() {
        let why = "the demo has nothing to do: no service of this mesh takes requests at an address of this machine";
        return Err(why.to_owned().into());
    }
    let (stop, stopped) = oneshot::channel();
    let (started, start) = sync_channel(1);
    let serve = move || {
        let runtime = match tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
        {
            Ok(runtime) => runtime,
            Err(error) => {
                let _ = started.send(Err(format!("the demo cannot run: {error}")));
                return;
            }
        };
        runtime.block_on(async {
            let running = start_all(servers).await;
            let running: Option<Vec<Running>> = match running {
                Ok(running) => {
                    let _ = started.send(Ok(()));
                    Some(running)
                }
                Err(failure) => {
                    let _ = started.send(Err(failure));
                    None
                }
            };
            if running.is_some() {
                let _ = stopped.await;
            }
        });
    };
    std::thread::Builder::new()
        .name("demo".to_owned())
        .spawn(serve)
        .map_err(|error| format!("the demo cannot run: {error}"))?;
    start
        .recv()
        .map_err(|_| "the demo has ended".to_owned())??;
    Ok(Demo { _stop: stop })
}

async fn start_all(servers: Vec<Upstream>) -> Result<Vec<Running>, String> {
    let mut running = Vec::with_capacity(servers.len());
    for Upstream {
        server,
        served_by,
        listen,
    } in servers
    {
        let started = mesh_demo::start_as(server, &served_by, listen).await;
        running.push(started.map_err(|error| {
            format!("the demo's {served_by} cannot listen on {listen}: {error}")
        })?);
    }
    Ok(running)
}

/// What an endpoint's service is called, with the version: `reviews.v2`.
fn written(service: &Service, address: SocketAddr) -> String {
    let version = service.versions.iter().find(|version| {
        let endpoints = version.endpoints.listed();
        endpoints.iter().any(|endpoint| endpoint.address == address)
    });
    match version {
        Some(version) => format!("{}.{}", service.qualified_name(), version.name),
        None => service.qualified_name(),
    }
}

/// Lines that say what to ask.
pub(super) fn what_to_try(mesh: &Mesh) -> String {
    let mut lines = String::new();
    let gateway = mesh.gateways.first();
    let port = gateway.and_then(|gateway| {
        let mut listeners = gateway.listeners.iter();
        listeners.find(|it| matches!(it.kind, ListenerKind::Http { .. }))
    });
    let host = gateway
        .into_iter()
        .flat_map(|gateway| &gateway.hosts)
        .find_map(|block| {
            let arms = &block.table.arms;
            Some((exact(&block.patterns)?, arms.iter().find_map(path_to_try)?))
        });
    let (Some(listener), Some((host, path))) = (port, host) else {
        return lines;
    };
    let is_bookinfo = mesh
        .services
        .iter()
        .any(|service| service.name == "productpage" && service.namespace == DEFAULT_NAMESPACE);
    let path = if is_bookinfo { "/productpage" } else { &path };
    let url = format!("http://127.0.0.1:{}{path}", listener.port);
    let _ = writeln!(lines, "  try       curl {url} -H 'host: {host}'");
    if is_bookinfo {
        let _ = writeln!(
            lines,
            "            curl {url} -H 'host: {host}' -H 'end-user: jason'"
        );
    }
    lines
}

/// The first host that is no wildcard.
fn exact(patterns: &[HostPattern]) -> Option<&str> {
    patterns.iter().find_map(|pattern| match pattern {
        HostPattern::Exact(name) => Some(name.as_str()),
        HostPattern::Suffix(_) | HostPattern::Any => None,
    })
}

/// A path of an arm that forwards a plain GET.
fn path_to_try(arm: &Arm) -> Option<String> {
    let takes_get = arm.methods.is_empty() || arm.methods.iter().any(|method| method == "GET");
    let forwards = !arm.action.targets().is_empty();
    if !takes_get || !forwards || arm.condition.is_some() {
        return None;
    }
    let Some(first) = arm.paths.first() else {
        return Some("/".to_owned());
    };
    Some(path_of(first))
}

/// A path that a pattern matches.
fn path_of(pattern: &PathPattern) -> String {
    let segments = pattern.segments().iter();
    let path: String = segments
        .filter_map(|segment| match segment {
            Segment::Literal(text) => Some(format!("/{text}")),
            Segment::Any { .. } => Some("/1".to_owned()),
            Segment::Partial { prefix, suffix, .. } => Some(format!("/{prefix}1{suffix}")),
            Segment::Rest { .. } => None,
        })
        .collect();
    if path.is_empty() {
        "/".to_owned()
    } else {
        path
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_path_to_try_is_one_that_the_pattern_takes() {
        for (pattern, path) in [
            ("/", "/"),
            ("/**", "/"),
            ("/cart", "/cart"),
            ("/cart/", "/cart/"),
            ("/products/**", "/products"),
            ("/users/{id}/*", "/users/1/1"),
            ("/v{n}/{name}.json", "/v1/1.json"),
        ] {
            assert_eq!(path_of(&PathPattern::parse(pattern).unwrap()), path);
        }
    }
}
