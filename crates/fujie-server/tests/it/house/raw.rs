//! The server as a socket sees it: bytes sent as they are.

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

use super::House;

impl House {
    /// Sends bytes as they are and gives all that comes back.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // A server that has seen enough may close at any time; what it said before counts.
        drop(stream.write_all(bytes).await);
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer).await);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Sends bytes as they are and gives the first line that comes back.
    pub async fn first_line(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).await.unwrap();
        line
    }

    /// Sends `head`, and then `chunk` until something other than "go on" comes back or `most` of them were taken. Gives
    /// what came back, and how many were taken.
    pub async fn pour(&self, head: &[u8], chunk: &[u8], most: usize) -> (String, usize) {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut reader, mut writer) = stream.into_split();
        writer.write_all(head).await.unwrap();
        let mut answer = vec![0; 4096];
        let go_on = reader.read(&mut answer).await.unwrap();
        assert!(answer[..go_on].starts_with(b"HTTP/1.1 100 "), "{}", String::from_utf8_lossy(&answer));
        let answered = tokio::spawn(async move {
            let length = reader.read(&mut answer).await.unwrap_or_default();
            String::from_utf8_lossy(&answer[..length]).into_owned()
        });
        let mut sent = 0;
        while sent < most && !answered.is_finished() && writer.write_all(chunk).await.is_ok() {
            sent += 1;
        }
        (answered.await.unwrap(), sent)
    }
}
