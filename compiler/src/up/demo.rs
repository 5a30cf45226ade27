//! The example's upstream servers, in this process.

use super::local::{Local, local_endpoints};
use crate::cli::Failure;
use crate::model::{ListenerKind, Mesh, Service};
use mesh_demo::{Running, Server, ServerName};
use mesh_lang::value::HostPattern;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::mpsc::sync_channel;
use tokio::sync::oneshot;

/// Servers that run until this is dropped.
#[derive(Debug)]
pub(super) struct Demo {
    _stop: oneshot::Sender<()>,
}

/// Starts a server for every endpoint of a service that the example knows.
pub(super) fn start(mesh: &Mesh, local: &Local) -> Result<Demo, Failure> {
    let mut servers = Vec::new();
    for (service, endpoint) in local_endpoints(mesh) {
        if let Some(name) = server_name(service, endpoint.address) {
            let outbound = local.outbound(endpoint.address);
            servers.push((Server { name, outbound }, endpoint.address));
        }
    }
    if servers.is_empty() {
        return Err("the demo has no server for any service of this mesh; it has productpage, details, reviews and ratings".to_owned().into());
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

async fn start_all(servers: Vec<(Server, SocketAddr)>) -> Result<Vec<Running>, String> {
    let mut running = Vec::with_capacity(servers.len());
    for (server, address) in servers {
        let started = mesh_demo::start(server, address).await;
        running.push(started.map_err(|error| {
            format!(
                "the demo's {} cannot listen on {address}: {error}",
                server.name
            )
        })?);
    }
    Ok(running)
}

/// The demo's server for an endpoint of a service.
fn server_name(service: &Service, address: SocketAddr) -> Option<ServerName> {
    let version = service.versions.iter().find(|version| {
        let endpoints = version.endpoints.listed();
        endpoints.iter().any(|endpoint| endpoint.address == address)
    });
    let written = match version {
        Some(version) => format!("{}.{}", service.name, version.name),
        None => service.name.clone(),
    };
    ServerName::parse(&written)
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
        .flat_map(|host| &host.patterns)
        .find_map(|pattern| match pattern {
            HostPattern::Exact(name) => Some(name.clone()),
            HostPattern::Suffix(_) | HostPattern::Any => None,
        });
    if let (Some(listener), Some(host)) = (port, host) {
        let url = format!("http://127.0.0.1:{}/productpage", listener.port);
        let _ = writeln!(lines, "  try       curl {url} -H 'host: {host}'");
        let _ = writeln!(
            lines,
            "            curl {url} -H 'host: {host}' -H 'end-user: jason'"
        );
    }
    lines
}
