//! The measure of the echo mode: a Tokio server that writes back what it reads.
//!
//! It looks at nothing, knows no line, no limit and no clock, and holds no buffer while it waits: less cannot be done with
//! this runtime.

use std::{io, net::SocketAddr};

use anyhow::Result;
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpSocket, TcpStream},
};

/// As many as ours.
const BACKLOG: u32 = 8192;
/// Read at once; it lies on the stack.
const CHUNK: usize = 4096;

/// Serves until it is killed.
pub async fn serve(address: SocketAddr) -> Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // A connection that breaks off is the load's to notice.
        tokio::spawn(echo(stream));
    }
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    loop {
        stream.readable().await?;
        let unwritten = match write_back(&stream) {
            Ok(None) => return Ok(()),
            Ok(Some(unwritten)) => unwritten,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        };
        if !unwritten.is_empty() {
            stream.write_all(&unwritten).await?;
        }
    }
}

/// Reads once and writes it back; what could not be written at once, or `None` when the peer has ended.
fn write_back(stream: &TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut chunk = [0; CHUNK];
    let length = stream.try_read(&mut chunk)?;
    let Some(read) = chunk.get(..length).filter(|read| !read.is_empty()) else { return Ok(None) };
    let written = match stream.try_write(read) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
        written => written?,
    };
    Ok(Some(read.get(written..).unwrap_or_default().to_vec()))
}
