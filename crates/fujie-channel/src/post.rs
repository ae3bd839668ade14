//! What is posted to a target, and what the answer means: values, and no network.
//!
//! The modules `robot` and `web_push` build a [`Request`] and judge the [`Response`]; `outbox` has a transport send it.
//! Not here: connecting, looking up names, and what a message says.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, UNIX_EPOCH};

use fujie_core::time::Timestamp;
use url::{Host, Origin, Url};

use crate::message::Language;

/// Bytes of an answer's body that are read, at most.
pub const RESPONSE_BODY_MAX: usize = 16 * 1024;
/// Whoever is asked to come back later than in this time is asked again earlier.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);
/// Characters of what a provider says that are kept.
const DETAIL_LENGTH_MAX: usize = 200;

/// A POST. `Debug` shows no secret: the path and the query of a robot's address are one.
pub struct Request {
    /// Where it goes.
    pub url: Url,
    /// Which addresses its host may have.
    pub reach: Reach,
    /// Header names in lower case, with their values.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// A POST of JSON.
    pub(crate) fn json(url: Url, reach: Reach, body: &serde_json::Value) -> Self {
        let headers = vec![("content-type", "application/json; charset=utf-8".to_owned())];
        Self { url, reach, headers, body: body.to_string().into_bytes() }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("host", &self.url.host_str())
            .field("reach", &self.reach)
            .field("body_length", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Which addresses a transport may connect to. It looks the name up itself, and connects to the address that it judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A provider's own host over https; its name stands in this crate.
    Provider,
    /// A host that somebody named: only addresses of which [`is_public`] holds.
    Public,
    /// A simulator on this machine: only loopback addresses.
    Loopback,
}

impl Reach {
    /// May a connection go to `address`?
    pub fn admits(self, address: IpAddr) -> bool {
        match self {
            Self::Provider => true,
            Self::Public => is_public(address),
            Self::Loopback => address.to_canonical().is_loopback(),
        }
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The value of `Retry-After`, if there is one (RFC 9110 §10.2.3).
    pub retry_after: Option<String>,
    /// The body, not longer than [`RESPONSE_BODY_MAX`].
    pub body: Vec<u8>,
}

impl Response {
    /// How long the answer asks to wait: seconds or a date, a day at most.
    pub(crate) fn wait(&self, now: Timestamp) -> Option<Duration> {
        let text = self.retry_after.as_deref()?.trim();
        let wait = match text.parse() {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => {
                let at = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
                at.saturating_sub(Duration::from_millis(now.millis().try_into().ok()?))
            }
        };
        Some(wait.min(RETRY_AFTER_MAX))
    }

    /// The verdict on a status alone, where no body says more.
    pub(crate) fn verdict_by_status(&self, now: Timestamp) -> Verdict {
        let trouble = |cause| Trouble::new(cause, &format!("HTTP {}", self.status));
        match self.status {
            200..=299 => Verdict::Delivered,
            413 => Verdict::Unfit(trouble(Cause::TooLarge)),
            429 => Verdict::TryLater(self.wait(now), trouble(Cause::TooOften)),
            408 | 500..=599 => Verdict::TryLater(self.wait(now), trouble(Cause::ServerFault)),
            _ => Verdict::Broken(trouble(Cause::Refused)),
        }
    }
}

/// What an answer means for the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was taken.
    Delivered,
    /// It was not taken now, and may be in so long, if a time was named.
    TryLater(Option<Duration>, Trouble),
    /// This message is not taken, now or later; the next one may be.
    Unfit(Trouble),
    /// Nothing is taken until a person mends what the trouble names.
    Broken(Trouble),
    /// The target is no more.
    Gone(Trouble),
}

/// What went wrong, for a person. Holds no secret: a provider's own words never repeat the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Which of the known troubles.
    pub cause: Cause,
    /// What the other side said, on one line of at most 200 characters; perhaps nothing.
    pub detail: String,
}

impl Trouble {
    /// With the other side's words, cleaned and cut.
    pub fn new(cause: Cause, detail: &str) -> Self {
        Self { cause, detail: crate::message::clean(detail, DETAIL_LENGTH_MAX) }
    }

    /// The sentence for a page, with the other side's words behind it.
    pub fn say(&self, language: Language) -> String {
        let sentence = self.cause.say(language);
        match (self.detail.as_str(), language) {
            ("", _) => sentence.to_owned(),
            (detail, Language::Chinese) => format!("{sentence}（{detail}）"),
            (detail, Language::English) => format!("{sentence} ({detail})"),
        }
    }
}

impl fmt::Display for Trouble {
    /// `word: detail`, as it is stored and logged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.detail.as_str() {
            "" => f.write_str(self.cause.as_str()),
            detail => write!(f, "{}: {detail}", self.cause.as_str()),
        }
    }
}

impl std::str::FromStr for Trouble {
    type Err = UnknownCause;

    /// Reads what [`Display`](fmt::Display) wrote.
    fn from_str(text: &str) -> Result<Self, UnknownCause> {
        let (word, detail) = text.split_once(": ").unwrap_or((text, ""));
        let cause = Cause::ALL.into_iter().find(|cause| cause.as_str() == word).ok_or(UnknownCause)?;
        Ok(Self::new(cause, detail))
    }
}

/// A text that names no trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this names no known trouble")]
pub struct UnknownCause;

/// The troubles that a target can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// No answer.
    Unreachable,
    /// The name of the host leads to an address that is not public.
    NotPublic,
    /// More messages than the other side takes.
    TooOften,
    /// The other side failed.
    ServerFault,
    /// The robot's secret is wrong or missing, or our clock is.
    Signature,
    /// The robot takes only messages with a certain word in them.
    Keyword,
    /// The robot takes messages only from certain addresses.
    AddressList,
    /// There is no robot at this address any more.
    Address,
    /// The robot or its group was stopped.
    Stopped,
    /// The message is too long.
    TooLarge,
    /// Something else was refused.
    Refused,
    /// The subscription has ended.
    Ended,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Unreachable,
        Self::NotPublic,
        Self::TooOften,
        Self::ServerFault,
        Self::Signature,
        Self::Keyword,
        Self::AddressList,
        Self::Address,
        Self::Stopped,
        Self::TooLarge,
        Self::Refused,
        Self::Ended,
    ];

    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::NotPublic => "not_public",
            Self::TooOften => "too_often",
            Self::ServerFault => "server_fault",
            Self::Signature => "signature",
            Self::Keyword => "keyword",
            Self::AddressList => "address_list",
            Self::Address => "address",
            Self::Stopped => "stopped",
            Self::TooLarge => "too_large",
            Self::Refused => "refused",
            Self::Ended => "ended",
        }
    }

    /// What a person should know, or do.
    pub const fn say(self, language: Language) -> &'static str {
        let (chinese, english) = match self {
            Self::Unreachable => ("连接不上对方服务器", "The other side cannot be reached"),
            Self::NotPublic => ("推送地址不在公网上", "The push address is not on the public internet"),
            Self::TooOften => ("发送太频繁，已被对方限流，稍后会自动重试", "Too many messages; sending goes on later"),
            Self::ServerFault => ("对方服务器出错，稍后会自动重试", "The other side failed; sending goes on later"),
            Self::Signature => (
                "签名校验未通过：请核对机器人的加签密钥，并检查服务器时间",
                "The signature was refused: check the robot's secret and the clock of this server",
            ),
            Self::Keyword => (
                "机器人设置了关键词：请改用加签，或去掉关键词",
                "The robot wants a keyword: let it check signatures instead, or take the keyword away",
            ),
            Self::AddressList => (
                "机器人设置了 IP 白名单：请加入本服务器的 IP",
                "The robot has an IP allow list: add the address of this server",
            ),
            Self::Address => (
                "机器人地址无效：机器人可能已被移除，请重新复制 Webhook 地址",
                "The robot's address is not valid: it may have been removed; copy the webhook address again",
            ),
            Self::Stopped => ("机器人已停用，或群已解散", "The robot was stopped, or its group is gone"),
            Self::TooLarge => ("消息太长，对方不接收", "The message is too long for the other side"),
            Self::Refused => ("对方拒绝接收", "The other side refused"),
            Self::Ended => ("浏览器已取消订阅", "The browser has ended its subscription"),
        };
        language.choose(chinese, english)
    }
}

/// Where simulators lie: `http` on a loopback address, as the operator says. Addresses there are taken for the real ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatorAt(Origin);

impl SimulatorAt {
    /// Reads a base such as `http://127.0.0.1:9300`; `None` for anything that is not loopback or has more to it.
    pub fn parse(base: &str) -> Option<Self> {
        let url = Url::parse(base).ok().filter(|url| url.scheme() == "http" && is_bare(url))?;
        is_loopback(&url).then(|| Self(url.origin()))
    }

    /// Does `url` lie there?
    pub(crate) fn holds(&self, url: &Url) -> bool {
        url.origin() == self.0
    }
}

fn is_bare(url: &Url) -> bool {
    url.path() == "/" && url.query().is_none() && url.fragment().is_none() && is_anonymous(url)
}

/// Without a user name and a password in front of the host.
pub(crate) fn is_anonymous(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none()
}

/// Does this URL lie on the machine itself?
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Is this an address of the public internet, to which a request may go that somebody else named? What is private,
/// shared, local, reserved, documentation or multicast is not, and neither is a form of IPv6 that carries an IPv4
/// address, whatever that is (IANA's special-purpose registries, RFC 6890).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127, ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18..=19, _)
            | (198, 51, 100)
            | (203, 0, 113)
            | (224..=255, ..)
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // Only 2000::/3 is global unicast: this leaves out ::/8 with loopback, mapped and compatible forms, 64:ff9b::/96
    // and 64:ff9b:1::/48 (NAT64), fc00::/7, fe80::/10, fec0::/10 and ff00::/8. Within it: 2001::/23 (Teredo, ORCHID,
    // benchmarks), documentation, 2002::/16 (6to4), 3fff::/20.
    let is_special = matches!((a, b), (0x2001, 0..=0x01ff | 0x0db8) | (0x2002, _) | (0x3fff, 0..=0x0fff));
    (0x2000..=0x3fff).contains(&a) && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_internet_are_reached() {
        let refused = "
            0.0.0.0 10.1.2.3 100.64.0.1 100.127.255.255 127.0.0.1 127.255.0.9
            169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8
            192.0.2.5 192.88.99.1 192.168.1.20 198.18.0.1 198.51.100.7
            203.0.113.9 224.0.0.251 239.1.2.3 240.0.0.1 255.255.255.255
            :: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1
            ::ffff:93.184.216.34 ::127.0.0.1 ::ffff:0:10.0.0.1
            64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:1::a00:1 100::1
            2001::1 2001:2::1 2001:db8::1 2001:10::1
            2002:7f00:1:: 2002:a00:1::1 2002:5db8:d822::1 3fff::1
            fc00::1 fd12:3456::1 fe80::1 febf::1 fec0::1 ff02::1 5f00::1";
        let admitted = "
            1.1.1.1 9.9.9.9 11.0.0.1 93.184.216.34 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.0.1.1
            192.167.0.1 198.17.0.1 223.255.255.254 2001:4860:4860::8888 2400:3200::1 2606:4700:4700::1111 2a00:1450::1";
        for (addresses, expected) in [(refused, false), (admitted, true)] {
            for address in addresses.split_whitespace() {
                assert_eq!(is_public(address.parse().unwrap()), expected, "{address}");
            }
        }
    }

    #[test]
    fn reach_is_judged_by_the_address_and_not_by_the_name() {
        let of = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(Reach::Loopback.admits(of("127.0.0.1")) && Reach::Loopback.admits(of("::1")));
        assert!(!Reach::Loopback.admits(of("10.0.0.1")) && !Reach::Loopback.admits(of("1.1.1.1")));
        assert!(Reach::Public.admits(of("1.1.1.1")) && !Reach::Public.admits(of("::ffff:127.0.0.1")));
    }

    #[test]
    fn a_simulator_is_on_this_machine() {
        for (base, expected) in [
            ("http://127.0.0.1:9300", true),
            ("http://localhost:9300/", true),
            ("http://[::1]:9300", true),
            ("https://127.0.0.1:9300", false),
            ("http://192.168.1.20:9300", false),
            ("http://localhost.example:9300", false),
            ("http://u@127.0.0.1:9300", false),
            ("http://127.0.0.1:9300/path", false),
            ("127.0.0.1:9300", false),
        ] {
            assert_eq!(SimulatorAt::parse(base).is_some(), expected, "{base}");
        }
    }

    #[test]
    fn an_answer_says_how_long_to_wait_and_never_longer_than_a_day() {
        let wait = |text: &str| {
            let response = Response { status: 429, retry_after: Some(text.to_owned()), body: Vec::new() };
            response.wait(Timestamp::from_seconds(784_111_777)).map(|wait| wait.as_secs())
        };
        assert_eq!(wait("120"), Some(120));
        assert_eq!(wait("Sun, 06 Nov 1994 08:50:37 GMT"), Some(60));
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0));
        assert_eq!(wait("99999999999"), Some(86_400));
        assert_eq!((wait("soon"), wait("-1"), wait("")), (None, None, None));
    }

    #[test]
    fn a_trouble_is_stored_and_read_again() {
        for cause in Cause::ALL {
            for detail in ["", "sign not match, more: [x]"] {
                let trouble = Trouble::new(cause, detail);
                assert_eq!(trouble.to_string().parse(), Ok(trouble.clone()));
                assert!(!trouble.say(Language::Chinese).is_empty() && !trouble.say(Language::English).is_empty());
            }
        }
        assert_eq!("nonsense".parse::<Trouble>(), Err(UnknownCause));
        let long = Trouble::new(Cause::Refused, &"a\nb".repeat(500));
        assert!(long.detail.chars().count() <= 200 && !long.detail.contains('\n'));
    }
}
