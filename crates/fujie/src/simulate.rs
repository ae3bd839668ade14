//! `fujie simulate`: providers on loopback, for programs in any language.

use std::io::Write as _;

use anyhow::Result;
use clap::{Args, ValueEnum};
use fujie_simulator::wechat::{DEFAULT_APPID, DEFAULT_SECRET, Wechat, WechatConfig};

use crate::serve::stop_signal;

/// A provider to simulate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Simulated {
    /// WeChat website sign-in.
    Wechat,
}

/// Which, and where.
#[derive(Debug, Args)]
pub struct Simulate {
    /// Providers to simulate.
    #[arg(value_enum, required = true)]
    names: Vec<Simulated>,
    /// Port of the first on 127.0.0.1; the next ones follow. 0 takes free ones.
    #[arg(long, default_value_t = 0)]
    port: u16,
}

/// Runs until it is told to stop; prints one base URL per provider.
pub async fn run(simulate: Simulate) -> Result<()> {
    let mut running = Vec::new();
    let mut port = simulate.port;
    for name in simulate.names {
        let Simulated::Wechat = name;
        let wechat = Wechat::start(("127.0.0.1", port), WechatConfig::default()).await?;
        writeln!(std::io::stdout(), "{}", wechat.base_url())?;
        writeln!(
            std::io::stderr(),
            "WeChat: appid {DEFAULT_APPID}, secret {DEFAULT_SECRET}; any callback on 127.0.0.1 or localhost.\n\
             Set the host of open.weixin.qq.com and api.weixin.qq.com to the address above; the phone is {}/phone",
            wechat.base_url()
        )?;
        running.push(wechat);
        port = if port == 0 { 0 } else { port.saturating_add(1) };
    }
    stop_signal().await;
    for wechat in running {
        wechat.shutdown().await?;
    }
    Ok(())
}
