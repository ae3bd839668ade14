//! Server-Sent Events, read as plainly as it gets.

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

use super::{house::TOPIC, ledger::Effect};

/// A connection that tells events.
pub struct Stream(BufReader<TcpStream>);

impl Stream {
    /// Asks for what comes after the event `after`; `None` when nobody answers. HTTP/1.0, so that the stream comes
    /// without chunks.
    pub async fn open(address: &str, token: &str, after: i64) -> Option<Self> {
        let mut stream = BufReader::new(TcpStream::connect(address).await.ok()?);
        let request = format!(
            "GET /topics/{TOPIC}/events HTTP/1.0\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             accept: text/event-stream\r\nlast-event-id: {after}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut own = Self(stream);
        let status = own.line().await?;
        assert!(status.contains(" 200 "), "{status}");
        while !own.line().await?.is_empty() {}
        Some(own)
    }

    /// The next event; `None` at the end of the connection, also in the middle of an event.
    pub async fn next(&mut self) -> Option<Effect> {
        let (mut id, mut name, mut data) = (String::new(), None, String::new());
        loop {
            let line = self.line().await?;
            match line.split_once(": ") {
                Some(("id", value)) => value.clone_into(&mut id),
                Some(("event", value)) => name = Some(value.to_owned()),
                Some(("data", value)) => value.clone_into(&mut data),
                _ if !line.is_empty() => {}
                _ => match name.take().as_deref() {
                    Some("bye") => return None,
                    Some(other) => panic!("{other}: {data}"),
                    None if data.is_empty() => {}
                    None => {
                        let effect = Effect::of_line(&data);
                        assert_eq!(id, effect.id.to_string());
                        return Some(effect);
                    }
                },
            }
        }
    }

    /// A line without its end; `None` when the connection ends before it.
    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.0.read_line(&mut line).await.ok()?;
        let line = line.strip_suffix('\n')?;
        Some(line.strip_suffix('\r').unwrap_or(line).to_owned())
    }
}
