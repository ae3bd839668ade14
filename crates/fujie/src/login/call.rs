//! `fujie call`: an HTTP request with the access token, much as with curl.
//!
//! Owns to whom the token may go: the provider's own origins, and another one only when `--any-origin` says so. What
//! follows redirects and refreshes is the client's session.

use std::{
    fs::File,
    io::{ErrorKind, Read as _, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use fujie_client::session::{Download, Request, Session};
use fujie_receiver::command::FAILED;
use url::Url;

use super::{
    application::Api,
    book::{Book, SignIn, Which},
    failure::{self, Failure, SIGN_IN_NEEDED},
    terminal::{Manner, Terminal},
};

/// A request.
#[derive(Debug, Args)]
pub struct Call {
    /// Where to: a URL, or a path of the provider's API.
    #[arg(value_name = "URL|PATH")]
    url: String,
    /// Method. Default: GET, or POST with data.
    #[arg(short = 'X', long, value_name = "METHOD")]
    request: Option<String>,
    /// A header, as "Name: value".
    #[arg(short = 'H', long, value_name = "HEADER")]
    header: Vec<String>,
    /// Data to send as a form; @FILE reads a file, @- standard input. Several are joined by &.
    #[arg(short, long, value_name = "DATA", conflicts_with = "json")]
    data: Vec<String>,
    /// JSON to send; @FILE reads a file, @- standard input.
    #[arg(long, value_name = "DATA")]
    json: Option<String>,
    /// Write the answer there instead of on stdout.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Send the token although the URL is not of the provider's own origin.
    #[arg(long)]
    any_origin: bool,
    /// Provider or issuer. Default: the one whose origin the URL has, else the last sign-in.
    #[arg(long, value_name = "PROVIDER|ISSUER")]
    provider: Option<String>,
    /// Account, as at the sign-in.
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    #[command(flatten)]
    manner: Manner,
}

/// Sends the request and prints the answer; the exit code.
pub async fn run(call: Call) -> i32 {
    let terminal = Terminal::new(&call.manner);
    super::finish(terminal, async move { call.send().await }).await
}

impl Call {
    async fn send(&self) -> Result<(), Failure> {
        let which = Which { provider: self.provider.clone(), account: self.account.clone() };
        let book = Book::existing(self.manner.store.as_deref())?.ok_or_else(|| which.nobody())?;
        let url = Url::parse(&self.url).ok().filter(Url::has_host);
        let (sign_in, api) = choose(&book, &which, url.as_ref())?;
        let base_url = match &url {
            Some(url) => self.admitted(url, &api, &sign_in)?,
            None => api.base_url,
        };
        let builder = Session::builder(base_url).tokens(book.source(&sign_in)).placement(api.placement);
        let session = builder.build()?;
        let request = self.request(&session)?;
        let answer = request.download(ANSWER_LENGTH_MAX).await.map_err(|error| of_session(error, &sign_in))?;
        let status = answer.status();
        self.write(answer).await?;
        if status < 400 { Ok(()) } else { Err(refused(status, &sign_in)) }
    }

    /// The base of a session whose token may go to this URL.
    fn admitted(&self, url: &Url, api: &Api, sign_in: &SignIn) -> Result<String, Failure> {
        let origin = url.origin();
        if self.any_origin || api.origins.contains(&origin) {
            return Ok(origin.ascii_serialization());
        }
        let (origin, place) = (origin.ascii_serialization(), sign_in.application.place.name());
        Err(Failure::usage(
            format!("{origin} is not {place}'s own; nothing was sent. To send it the token all the same: --any-origin"),
            format!("{origin} 不是 {place} 自己的地址，没有发送任何内容。确实要把令牌发给它，请加 --any-origin。"),
        ))
    }

    fn request<'s>(&self, session: &'s Session) -> Result<Request<'s>, Failure> {
        let has_body = self.json.is_some() || !self.data.is_empty();
        let method = self.request.as_deref().unwrap_or(if has_body { "POST" } else { "GET" });
        let mut request = session.request(method, &self.url);
        if let Some(json) = &self.json {
            request = request.body(data(json)?).header("content-type", "application/json");
            request = request.header("accept", "application/json");
        } else if has_body {
            let pieces: Result<Vec<_>, _> = self.data.iter().map(|piece| data(piece)).collect();
            let form = pieces?.join(&b'&');
            request = request.body(form).header("content-type", "application/x-www-form-urlencoded");
        }
        for header in &self.header {
            let (name, value) = header.split_once(':').ok_or_else(|| {
                Failure::usage(
                    format!(
                        "--header {name}: a header is \"Name: value\"",
                        name = header.split(' ').next().unwrap_or_default()
                    ),
                    "--header 应形如 \"Name: value\"",
                )
            })?;
            request = request.header(name.trim(), value.trim());
        }
        Ok(request)
    }

    async fn write(&self, answer: Download) -> Result<(), Failure> {
        match &self.output {
            None => copy(answer, std::io::stdout(), Path::new("stdout")).await,
            Some(path) => {
                let file = File::create(path).map_err(|error| failure::of_file(path, &error))?;
                copy(answer, file, path).await
            }
        }
    }
}

/// The sign-in that is meant: by name, by the URL's origin, or the last one.
fn choose(book: &Book, which: &Which, url: Option<&Url>) -> Result<(SignIn, Api), Failure> {
    let mut sign_ins = book.all_of(which)?;
    if let (Some(url), None) = (url, &which.provider) {
        for sign_in in sign_ins.iter().rev() {
            let api = sign_in.application.api()?;
            if api.origins.contains(&url.origin()) {
                return Ok((sign_in.clone(), api));
            }
        }
    }
    let sign_in = sign_ins.pop().ok_or_else(|| which.nobody())?;
    let api = sign_in.application.api()?;
    Ok((sign_in, api))
}

/// Writes the answer into what a person knows as `place`.
async fn copy(mut answer: Download, mut out: impl Write, place: &Path) -> Result<(), Failure> {
    let written = loop {
        let Some(piece) = answer.chunk().await? else { break out.flush() };
        if let Err(error) = out.write_all(&piece) {
            break Err(error);
        }
    };
    match written {
        // Whoever read along has read enough.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(failure::of_file(place, &error)),
        _ => Ok(()),
    }
}

/// What `-d` and `--json` mean: the text, or what a file holds.
fn data(text: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let Some(path) = text.strip_prefix('@') else { return Ok(text.as_bytes().to_vec()) };
    let read = match path {
        "-" => std::io::stdin().take(DATA_LENGTH_MAX).read_to_end(&mut bytes),
        path => File::open(path).and_then(|file| file.take(DATA_LENGTH_MAX).read_to_end(&mut bytes)),
    };
    let place = if path == "-" { "stdin" } else { path };
    read.map_err(|error| failure::of_file(Path::new(place), &error))?;
    Ok(bytes)
}

fn of_session(error: fujie_client::session::Error, sign_in: &SignIn) -> Failure {
    match &error {
        fujie_client::session::Error::Token(cause) => sign_in.failure(cause),
        _ => error.into(),
    }
}

fn refused(status: u16, sign_in: &SignIn) -> Failure {
    let place = sign_in.application.place.name();
    let code = if status == 401 { SIGN_IN_NEEDED } else { FAILED };
    let english = format!("{place} answered {status}.");
    let chinese = format!("{place} 返回了 {status}。");
    Failure { code, ..Failure::new(english, chinese) }
}

/// Bytes of an answer, at most.
const ANSWER_LENGTH_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// Bytes that are sent, at most.
const DATA_LENGTH_MAX: u64 = 64 * 1024 * 1024;
