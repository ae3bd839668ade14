//! The device grant (RFC 8628) on a terminal: shows the code, and asks as often as it may until the person has decided.

use std::time::Duration;

use fujie_client::{Client, Device, Polled, Tokens};

use super::{
    failure::{Failure, visible},
    terminal::Terminal,
};

/// Signs in by a code that the person types on any device.
pub async fn tokens(
    client: &Client,
    mut device: Device,
    span: Duration,
    terminal: Terminal,
) -> Result<Tokens, Failure> {
    let code = terminal.strong(&visible(&device.authorization.user_code));
    let address = terminal.strong(&visible(&device.authorization.verification_uri));
    terminal.insist(
        &format!("On any device, open\n  {address}\nand enter the code\n  {code}"),
        &format!("请在任意设备上打开\n  {address}\n并输入验证码\n  {code}"),
    );
    let polling = async {
        loop {
            match client.poll_device(&mut device).await? {
                Polled::Wait(span) => tokio::time::sleep(span).await,
                Polled::Tokens(tokens) => return Ok(*tokens),
            }
        }
    };
    tokio::select! {
        polled = tokio::time::timeout(span, polling) => polled.unwrap_or_else(|_| Err(Failure::timed_out(None))),
        () = terminal.count_down(span) => Err(Failure::timed_out(None)),
    }
}
