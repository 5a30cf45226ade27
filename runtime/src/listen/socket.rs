//! Listening sockets.
//!
//! Each worker has a socket of its own for each listener; the kernel spreads connections over them
//! (`SO_REUSEPORT`). All are bound before anything is served, so that a port that is taken changes
//! nothing.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that wait to be accepted, for each socket.
const BACKLOG: i32 = 4096;

/// Where a listener listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// At one address.
    Address(SocketAddr),
    /// At every address of the machine: IPv6 and IPv4, or IPv4 alone where there is no IPv6.
    Everywhere(u16),
}

/// One bound socket for each worker, and where they are: port 0 has become a free one.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) sockets: Vec<TcpListener>,
    pub(crate) address: SocketAddr,
}

/// Binds a listener.
pub(crate) fn bind(target: Target, workers: usize) -> io::Result<Bound> {
    let port = match target {
        Target::Address(address) => return bind_at(address, false, workers),
        Target::Everywhere(port) => port,
    };
    match bind_at((Ipv6Addr::UNSPECIFIED, port).into(), true, workers) {
        Err(error) if no_ipv6(&error) => {
            bind_at((Ipv4Addr::UNSPECIFIED, port).into(), false, workers)
        }
        bound => bound,
    }
}

fn no_ipv6(error: &io::Error) -> bool {
    // EAFNOSUPPORT and EADDRNOTAVAIL: IPv6 is not compiled in, or switched off.
    matches!(error.raw_os_error(), Some(97)) || error.kind() == io::ErrorKind::AddrNotAvailable
}

fn bind_at(address: SocketAddr, dual_stack: bool, workers: usize) -> io::Result<Bound> {
    // Sockets that share a port also share it with another process that does so. The first is bound
    // without sharing, to learn whether somebody is there.
    let first = open(address, dual_stack, false)?;
    let address = first.local_addr()?.as_socket().unwrap_or(address);
    if workers == 1 {
        first.listen(BACKLOG)?;
        return Ok(Bound {
            sockets: vec![first.into()],
            address,
        });
    }
    // It holds the port, without listening, until the others have it.
    let sockets = (0..workers).map(|_| {
        let socket = open(address, dual_stack, true)?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    });
    let sockets = sockets.collect::<io::Result<_>>()?;
    Ok(Bound { sockets, address })
}

fn open(address: SocketAddr, dual_stack: bool, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(!dual_stack)?;
    }
    socket.set_reuse_address(true)?;
    if shared {
        socket.set_reuse_port(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// A peer's address as policies and logs see it: IPv4 as IPv4, whatever socket it came through.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    let ip: IpAddr = address.ip().to_canonical();
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    #[test]
    fn workers_share_a_port_and_nobody_else_does() {
        let local = Target::Address(([127, 0, 0, 1], 0).into());
        let bound = bind(local, 3).unwrap();
        assert_eq!(bound.sockets.len(), 3);
        assert_ne!(bound.address.port(), 0);
        for socket in &bound.sockets {
            assert_eq!(socket.local_addr().unwrap(), bound.address);
        }
        for workers in [1, 2] {
            let again = bind(Target::Address(bound.address), workers);
            assert_eq!(again.unwrap_err().kind(), io::ErrorKind::AddrInUse);
        }
    }

    #[test]
    fn everywhere_takes_ipv4_as_well() {
        let bound = bind(Target::Everywhere(0), 1).unwrap();
        TcpStream::connect((Ipv4Addr::LOCALHOST, bound.address.port())).unwrap();
    }
}
