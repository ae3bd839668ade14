//! A server that echoes lines and answers heartbeats, with the words of an `asyncio` tutorial on its terminal:
//!
//! ```sh
//! cargo run --example echo -- 127.0.0.1:8885
//! ```

use std::{error::Error, io};

use fujie_channel::serve::Listener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_writer(io::stdout)
        .without_time()
        .with_level(false)
        .with_target(false)
        .with_ansi(false)
        .init();
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8885".to_owned());
    let stop = async {
        // Where there are no signals it is ended otherwise.
        let _ = tokio::signal::ctrl_c().await;
    };
    Listener::bind(address.parse()?)?.echo(stop).await;
    Ok(())
}
