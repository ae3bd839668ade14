//! The line protocol: UTF-8 lines with a heartbeat, as a connection that is kept open needs it.

use std::time::Duration;

/// A peer that is silent for so long is cut off.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// What a peer is told before it is cut off for silence, with its line feed.
pub const IDLE_MESSAGE: &str = "超时断开连接\n";

/// The answer to one line, with its line feed: `pong` to `ping`, and in echo mode every other line after
/// `from server: `. White space around the line does not count.
pub fn echo(line: &str) -> String {
    match line.trim() {
        "ping" => "pong\n".to_owned(),
        other => format!("from server: {other}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ping_is_answered_and_everything_else_is_echoed() {
        assert_eq!(echo("ping\n"), "pong\n");
        assert_eq!(echo("  ping \r\n"), "pong\n");
        assert_eq!(echo("Hello World!\n"), "from server: Hello World!\n");
        assert_eq!(echo("pings"), "from server: pings\n");
        assert_eq!(echo("你好 🌟\n"), "from server: 你好 🌟\n");
    }
}
