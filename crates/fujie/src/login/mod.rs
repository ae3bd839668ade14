//! `fujie login` and its family: a person signs in from a terminal, and scripts use the tokens.
//!
//! Owns the order of the ways to sign in (RFC 8252): the browser and loopback; a URI scheme when asked for; the device
//! grant when asked for, or when there is no browser here and the provider offers it; and, where the browser is on
//! another computer, the callback's address pasted while the listener still waits. The protocol is `fujie-client`'s, the
//! listening `fujie-receiver`'s.

mod application;
mod book;
mod browser;
pub mod call;
mod device;
pub mod failure;
mod lock;
pub mod logout;
mod output;
mod scheme;
pub mod status;
mod terminal;
pub mod token;
mod wait;
pub mod whoami;

use std::{ffi::OsString, future::Future, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use fujie_client::{Client, Device, Identity, ProviderError, SignedIn, Tokens};
use fujie_receiver::{
    command::DONE,
    loopback::{Host, Loopback, Options},
    page::Language,
};
use fujie_server::clock::Clock;
use url::Url;

use self::{application::Application, browser::Browser, output::Output, wait::Waiter};
pub use self::{
    application::Place,
    book::{Book, SignIn, Which},
    failure::{Failure, SIGN_IN_NEEDED, of_file, visible},
    terminal::{Lang, Manner, Terminal},
};

/// What a sign-in is told.
#[derive(Debug, Args)]
#[command(override_help = include_str!("help/login.en.txt"))]
pub struct Login {
    /// A preset such as github, or an OpenID provider's issuer.
    #[arg(value_name = "PROVIDER|ISSUER")]
    provider: String,
    /// The application's id. Default for a preset: $GITHUB_CLIENT_ID and so on.
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// File with its secret alone, if it has one. Default for a preset: $GITHUB_CLIENT_SECRET and so on.
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// Another host in place of the preset's own: a simulator, a gateway.
    #[arg(long, value_name = "URL")]
    at: Option<String>,
    /// What to ask for, separated by spaces or commas.
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// A name for this sign-in, to have several side by side.
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Type a code on any other device instead.
    #[arg(long, conflicts_with_all = ["scheme", "paste"])]
    device: bool,
    /// Take the answer through this URI scheme, such as com.example.app, or redirect URI.
    #[arg(long, value_name = "SCHEME", conflicts_with_all = ["port", "path", "host", "paste"])]
    scheme: Option<String>,
    /// Ports to try in this order; 0 is any free one.
    #[arg(long, value_name = "PORT", value_delimiter = ',', default_value = "0")]
    port: Vec<u16>,
    /// Path of the redirect URI.
    #[arg(long, value_name = "PATH", default_value = "/callback")]
    path: String,
    /// Host of the redirect URI.
    #[arg(long, value_enum, default_value = "127.0.0.1")]
    host: HostName,
    /// Do not open a browser; show the address.
    #[arg(long)]
    no_browser: bool,
    /// Also take the address that the browser ends at from standard input.
    #[arg(long)]
    paste: bool,
    /// How long to wait.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
    /// Form of the result.
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
    #[command(flatten)]
    manner: Manner,
}

/// A host of a loopback redirect URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum HostName {
    /// IPv4.
    #[value(name = "127.0.0.1")]
    Ipv4,
    /// IPv6.
    #[value(name = "::1")]
    Ipv6,
    /// The name, for providers that insist on it.
    Localhost,
}

/// Whether the person reads Chinese, before any argument is understood: `--help` too is an answer.
pub fn is_chinese(arguments: &[OsString]) -> bool {
    let words = arguments.iter().map(|word| word.to_string_lossy());
    let mut lang = words.skip_while(|word| word != "--lang" && !word.starts_with("--lang="));
    match lang.next().map(|word| word.into_owned()) {
        Some(word) if word == "--lang" => lang.next().is_some_and(|value| value.starts_with("zh")),
        Some(word) => word.starts_with("--lang=zh"),
        None => terminal::system_language() == Language::Chinese,
    }
}

/// The command line with this family's help in Chinese.
pub fn in_chinese(command: clap::Command) -> clap::Command {
    let texts = [
        ("login", include_str!("help/login.zh.txt")),
        ("token", include_str!("help/token.zh.txt")),
        ("call", include_str!("help/call.zh.txt")),
        ("whoami", include_str!("help/whoami.zh.txt")),
        ("status", include_str!("help/status.zh.txt")),
        ("logout", include_str!("help/logout.zh.txt")),
        ("listen", include_str!("../listen/help/listen.zh.txt")),
        ("channel", include_str!("../help/channel.zh.txt")),
        ("topic", include_str!("../help/topic.zh.txt")),
        ("integration", include_str!("../help/integration.zh.txt")),
    ];
    let in_chinese = |command: clap::Command, (name, text)| command.mut_subcommand(name, |one| with_help(one, text));
    texts.into_iter().fold(command, in_chinese)
}

/// The same text for a command and for those below it.
fn with_help(command: clap::Command, text: &'static str) -> clap::Command {
    command.override_help(text).mut_subcommands(|one| with_help(one, text))
}

/// Signs a person in; the exit code.
pub async fn run(login: Login) -> i32 {
    let terminal = Terminal::new(&login.manner);
    finish(terminal, login.sign_in(terminal)).await
}

/// Carries a command out until it is done or Ctrl-C ends it; the exit code. What still blocks then is left behind: the
/// process must end without it.
pub async fn finish(terminal: Terminal, work: impl Future<Output = Result<(), Failure>> + Send + 'static) -> i32 {
    let (cancel, cancelled) = tokio::sync::oneshot::channel::<()>();
    let runtime = tokio::runtime::Handle::current();
    let work = async {
        tokio::select! {
            biased;
            _ = cancelled => Err(Failure::cancelled()),
            done = work => done,
        }
    };
    // On a thread where it may read files and standard input as long as these take; and not before Ctrl-C is listened
    // for, which is the first thing that is done below.
    let working = async { tokio::task::spawn_blocking(move || runtime.block_on(work)).await };
    let done = tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => {
            drop(cancel);
            release(terminal).await;
            Err(Failure::cancelled())
        }
        done = working => done.unwrap_or_else(|error| Err(Failure::new(error.to_string(), error.to_string()))),
    };
    match done {
        Ok(()) => DONE,
        Err(failure) => terminal.fail(&failure),
    }
}

/// Waits until tokens that are on their way are saved, but not for long, and not after a second Ctrl-C.
async fn release(terminal: Terminal) {
    let told = async {
        tokio::time::sleep(TELL_AFTER).await;
        terminal.say(
            "Saving the refreshed tokens first. Ctrl-C again ends at once.",
            "正在保存刷新后的令牌，再按一次 Ctrl-C 立即退出。",
        );
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = lock::all_released() => {}
        _ = tokio::signal::ctrl_c() => {}
        () = tokio::time::sleep(RELEASE_WAIT) => {}
        () = told => {}
    }
}

impl Login {
    async fn sign_in(self, terminal: Terminal) -> Result<(), Failure> {
        self.check_account()?;
        let book = Book::open(self.manner.store.as_deref())?;
        // A book that cannot be read is told before the person signs in, not after.
        book.all()?;
        let Self { provider, client_id, client_secret_file, at, .. } = &self;
        let application =
            Application::new(provider, at.clone(), client_id.clone(), client_secret_file.clone(), &self.scope)?;
        let client = application.client().await?;
        let signed_in = self.choose(&client, terminal).await?;
        let sign_in = self.told(application, signed_in.identity.as_ref(), &signed_in.tokens);
        book.add(sign_in.clone(), &signed_in.tokens).await?;
        let (person, place) = (sign_in.person(), sign_in.application.place.name());
        let text = terminal.choose(format!("Signed in to {place} as {person}."), format!("已登录 {place}：{person}。"));
        terminal::print(&self.output.of(&sign_in, &signed_in.tokens, &text))?;
        let folder = book.folder().display();
        terminal.say(&format!("The tokens are kept in {folder}"), &format!("令牌已保存到 {folder}"));
        Ok(())
    }

    fn check_account(&self) -> Result<(), Failure> {
        match &self.account {
            Some(name) if failure::visible(name) != *name || name.contains('\n') => {
                Err(Failure::usage("--account must not contain control characters", "--account 不能含有控制字符"))
            }
            _ => Ok(()),
        }
    }

    /// Signs in by the first way that is there.
    async fn choose(&self, client: &Client, terminal: Terminal) -> Result<Person, Failure> {
        let browser = Browser::of_environment(|name| std::env::var_os(name));
        let is_here = matches!(browser, Browser::Here(_));
        if self.device {
            return self.by_device(client, client.begin_device().await?, terminal).await;
        }
        if let Some(scheme) = &self.scheme {
            return self.by_scheme(scheme, client, &browser, terminal).await;
        }
        let has_device = client.provider().device_authorization_endpoint.is_some();
        if !is_here && has_device && !self.no_browser && !self.paste {
            // A refusal means that it is not switched on for this application; loopback may be.
            if let Ok(device) = client.begin_device().await {
                return self.by_device(client, device, terminal).await;
            }
        }
        self.by_loopback(client, &browser, terminal).await
    }

    async fn by_device(&self, client: &Client, device: Device, terminal: Terminal) -> Result<Person, Failure> {
        let tokens = device::tokens(client, device, self.span(), terminal).await?;
        let identity = match client.user(&tokens).await {
            Err(ProviderError::NotOffered(_)) => None,
            identity => Some(identity?),
        };
        Ok(Person { identity, tokens })
    }

    /// RFC 8252 §7.1.
    async fn by_scheme(
        &self,
        scheme: &str,
        client: &Client,
        browser: &Browser,
        terminal: Terminal,
    ) -> Result<Person, Failure> {
        let (name, redirect_uri) = scheme::parse(scheme)?;
        let begin = client.begin_unsealed(&redirect_uri, &self.ask(terminal), client.now()).await?;
        let waiter = Waiter::Scheme(Box::new(scheme::open(&name, &begin.attempt.state)?));
        self.show(&begin.url, browser, terminal);
        let came = wait::callback(waiter, self.span(), terminal).await?;
        redeem(client, &begin.attempt, &came).await
    }

    /// RFC 8252 §7.3.
    async fn by_loopback(&self, client: &Client, browser: &Browser, terminal: Terminal) -> Result<Person, Failure> {
        let options = self.options(terminal);
        let listener = Loopback::bind(&options).map_err(|error| self.unbound(options.host, &error))?;
        let redirect_uri = listener.redirect_uri();
        let begin = client.begin_unsealed(&redirect_uri, &self.ask(terminal), client.now()).await?;
        let listener = listener.with_state(&begin.attempt.state)?;
        let is_elsewhere = !matches!(browser, Browser::Here(_));
        let is_pasted = self.paste || (is_elsewhere && terminal::is_asked());
        if is_elsewhere {
            advise(browser, &redirect_uri, terminal);
        }
        self.show(&begin.url, browser, terminal);
        if is_pasted {
            invite_paste(&redirect_uri, terminal);
            wait::read_pasted(listener.handle(), &redirect_uri, terminal);
        } else if is_elsewhere {
            terminal.say(
                "Or run this in a terminal with --paste: then the address at which your browser ends can be pasted.",
                "也可以在终端中加上 --paste 运行，登录后把浏览器最后停留的网址粘贴过来。",
            );
        }
        let came = wait::callback(Waiter::Loopback(listener, is_pasted), self.span(), terminal).await?;
        redeem(client, &begin.attempt, &came).await
    }

    /// Sends the browser there, or shows the address.
    fn show(&self, url: &str, browser: &Browser, terminal: Terminal) {
        let programs: &[OsString] = match browser {
            Browser::Here(programs) if !self.no_browser => programs,
            _ => &[],
        };
        let host = Url::parse(url).map(|url| url.authority().to_owned()).unwrap_or_default();
        if browser::open(programs, url, terminal) {
            terminal.say(
                &format!("Your browser opens {host} for you to sign in. If it does not, open:\n  {url}"),
                &format!("正在打开浏览器，请在 {host} 的页面上登录。如果浏览器没有打开，请手动访问：\n  {url}"),
            );
        } else {
            let address = terminal.strong(url);
            terminal.insist(
                &format!("Open this address to sign in at {host}:\n  {address}"),
                &format!("请打开以下网址，登录 {host}：\n  {address}"),
            );
        }
    }

    fn options(&self, terminal: Terminal) -> Options {
        let mut options = Options::without_state(&self.path);
        options.ports.clone_from(&self.port);
        options.language = terminal.language;
        options.host = match self.host {
            HostName::Ipv4 => Host::Ipv4,
            HostName::Ipv6 => Host::Ipv6,
            HostName::Localhost => Host::Localhost,
        };
        options
    }

    fn ask(&self, terminal: Terminal) -> fujie_client::Ask<'static> {
        fujie_client::Ask { language: Some(terminal.choose("en", "zh-CN")), ..fujie_client::Ask::default() }
    }

    fn unbound(&self, host: Host, error: &std::io::Error) -> Failure {
        let ports: Vec<_> = self.port.iter().map(u16::to_string).collect();
        let ports = ports.join(", ");
        match error.kind() {
            std::io::ErrorKind::InvalidInput => {
                Failure::usage("--path must be like /callback", "--path 应形如 /callback")
            }
            std::io::ErrorKind::AddrInUse => Failure::new(
                format!("Another program is using port {ports}."),
                format!("端口 {ports} 已被其他程序占用。"),
            ),
            _ => Failure::new(
                format!("Cannot listen on port {ports} of {host}: {error}"),
                format!("无法监听端口 {ports}（{host}）：{error}"),
            ),
        }
    }

    fn told(&self, application: Application, identity: Option<&Identity>, tokens: &Tokens) -> SignIn {
        let subject = identity.map(|identity| identity.subject.clone()).or_else(|| tokens.subject.clone());
        let nickname = identity.and_then(|identity| identity.nickname.clone());
        let account = self.account.clone().or_else(|| subject.clone()).unwrap_or_else(|| "default".to_owned());
        SignIn { application, account, subject, nickname, signed_in_at: Clock::default().now() }
    }

    fn span(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

/// Who signed in, as far as the provider says it, and their tokens.
struct Person {
    identity: Option<Identity>,
    tokens: Tokens,
}

/// What to do first when the browser is on another computer.
fn advise(browser: &Browser, redirect_uri: &str, terminal: Terminal) {
    let line = terminal.strong(&browser.forwarding(redirect_uri));
    terminal.insist(
        &format!("There is no browser here. On the computer with your browser, first run:\n  {line}"),
        &format!("本机没有可用的浏览器。请先在有浏览器的电脑上运行：\n  {line}"),
    );
}

fn invite_paste(redirect_uri: &str, terminal: Terminal) {
    terminal.insist(
        &format!(
            "If your browser ends at a page that it cannot open, whose address begins with\n  {redirect_uri}\npaste that \
             whole address here, and nowhere else:"
        ),
        &format!(
            "如果浏览器最后停在一个打不开的页面，网址以下面的内容开头：\n  {redirect_uri}\n\
             请把完整网址粘贴到这里，不要发给别人，也不要粘贴到别处："
        ),
    );
}

async fn redeem(client: &Client, attempt: &fujie_client::Attempt, came: &str) -> Result<Person, Failure> {
    let callback = client.registration().read_callback(attempt, came, client.now())?;
    let SignedIn { identity, tokens, .. } = client.redeem(callback).await?;
    Ok(Person { identity: Some(identity), tokens })
}

/// How long a refresh under way may hold up the end of the process.
const RELEASE_WAIT: Duration = Duration::from_secs(10);
/// A person who waits longer than this is told why.
const TELL_AFTER: Duration = Duration::from_millis(300);
