//! Loopback addresses and ports (RFC 8252 §7.3, §8.3).
//!
//! The standard library sets SO_REUSEADDR on Unix, where it frees a port from connections that linger and shares
//! nothing, and leaves it out on Windows, where it would share. SO_REUSEPORT is set nowhere. On Windows the standard
//! library cannot ask for SO_EXCLUSIVEADDRUSE; without it only a program of the same user could bind over us.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener},
};

use super::Host;

/// Binds the first of the ports that is free on all addresses of the host.
pub(super) fn bind(host: Host, ports: &[u16]) -> io::Result<(Vec<TcpListener>, u16)> {
    let mut last = io::Error::new(io::ErrorKind::InvalidInput, "no port is given");
    for port in ports {
        match bind_port(host, *port) {
            Ok(listeners) => return Ok(listeners),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn bind_port(host: Host, port: u16) -> io::Result<(Vec<TcpListener>, u16)> {
    match host {
        Host::Ipv4 => bind_one(V4, port).map(|(listener, port)| (vec![listener], port)),
        Host::Ipv6 => bind_one(V6, port).map(|(listener, port)| (vec![listener], port)),
        Host::Localhost if port == 0 => {
            let mut result = bind_both(0);
            for _ in 1..TRIES_MAX {
                // A port that was free on 127.0.0.1 may be taken on ::1.
                match &result {
                    Err(error) if error.kind() == io::ErrorKind::AddrInUse => result = bind_both(0),
                    _ => break,
                }
            }
            result
        }
        Host::Localhost => bind_both(port),
    }
}

/// Both addresses on one port. One family may be missing on this machine; a taken port on either is a fault, because
/// the browser may go there and somebody else would get the code.
fn bind_both(port: u16) -> io::Result<(Vec<TcpListener>, u16)> {
    match bind_one(V4, port) {
        Ok((v4, port)) => match bind_one(V6, port) {
            Ok((v6, _)) => Ok((vec![v4, v6], port)),
            Err(error) if is_taken(&error) => Err(error),
            Err(_) => Ok((vec![v4], port)),
        },
        Err(error) if is_taken(&error) => Err(error),
        Err(_) => bind_one(V6, port).map(|(v6, port)| (vec![v6], port)),
    }
}

fn bind_one(address: IpAddr, port: u16) -> io::Result<(TcpListener, u16)> {
    let listener = TcpListener::bind((address, port))?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

fn is_taken(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied)
}

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
/// How often another free port is tried.
const TRIES_MAX: usize = 20;
