//! Prints the events of a topic, one JSON line each, through every break of the connection:
//!
//! ```sh
//! FUJIE_TOKEN=fj_at_… cargo run --example listen -- 127.0.0.1:8886 team
//! ```

use std::{
    error::Error,
    io::{self, Write as _},
};

use fujie_channel::client::{Channel, Endpoint, Incoming, Need, TokenError};
use fujie_core::{random::SystemRandom, secret::Secret};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(topic)) = (arguments.next(), arguments.next()) else {
        return Err("say: listen ADDRESS TOPIC [FROM]".into());
    };
    let from = arguments.next().map(|id| id.parse()).transpose()?;
    let token = std::env::var("FUJIE_TOKEN")?;
    let tokens = move |need: Need| {
        let token = token.clone();
        async move {
            match need {
                Need::Any => Ok(Secret::new(token)),
                Need::Another => Err(TokenError::Gone("the token has ended".into())),
            }
        }
    };
    let mut channel = Channel::connect(Endpoint::parse(&address)?, tokens, SystemRandom);
    channel.subscribe(&topic, from);
    let mut terminal = io::stdout();
    loop {
        match channel.next().await? {
            Incoming::Event(event) => {
                terminal.write_all(&event.line)?;
                terminal.write_all(b"\n")?;
            }
            Incoming::Dropped { after, until, .. } => eprintln!("events {} to {until} were left out", after + 1),
            Incoming::Subscribed { from, .. } => eprintln!("events after {from} follow"),
            Incoming::Lost { why, pause, .. } => eprintln!("{why}; again in {pause:.1?}"),
        }
    }
}
