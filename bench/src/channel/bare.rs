//! The measure of the echo mode: a Tokio server that writes back what it reads.
//!
//! It looks at nothing, knows no line, no limit and no clock, and holds no buffer while it waits: less cannot be done with
//! this runtime.

use std::{
    future::poll_fn,
    io,
    mem::MaybeUninit,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use anyhow::Result;
use tokio::{
    io::{AsyncRead as _, AsyncWriteExt as _, ReadBuf},
    net::{TcpSocket, TcpStream},
};

/// As many as ours.
const BACKLOG: u32 = 8192;
/// Read at once; it lies on the stack.
const CHUNK: usize = 16 * 1024;

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
    while let Some(unwritten) = poll_fn(|context| write_back(&mut stream, context)).await? {
        if !unwritten.is_empty() {
            stream.write_all(&unwritten).await?;
        }
    }
    Ok(())
}

/// Reads once and writes it back; what could not be written at once, or `None` when the peer has ended. `poll_read`
/// spares the call that `try_read` makes to learn that nothing more is there.
fn write_back(stream: &mut TcpStream, context: &mut Context<'_>) -> Poll<io::Result<Option<Vec<u8>>>> {
    let mut chunk = [MaybeUninit::uninit(); CHUNK];
    let mut chunk = ReadBuf::uninit(&mut chunk);
    ready!(Pin::new(&mut *stream).poll_read(context, &mut chunk))?;
    let read = chunk.filled();
    if read.is_empty() {
        return Poll::Ready(Ok(None));
    }
    let written = match stream.try_write(read) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
        written => written?,
    };
    Poll::Ready(Ok(Some(read.get(written..).unwrap_or_default().to_vec())))
}
