//! The measure of all shares: a hyper server that reads a request whole and answers bytes made beforehand.
//!
//! It has the product's runtime, socket options and HTTP library, and nothing else: no timer, no limit, no decision,
//! no store. What it answers was recorded from the product in the same run.

use std::{collections::HashMap, convert::Infallible, fs, net::SocketAddr, path::Path, sync::Arc};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{say, wire::Recorded};

/// An answer made beforehand.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// Writes what the bare server is to answer, by path.
pub fn write_answers(file: &Path, recorded: &[Recorded]) -> Result<()> {
    let answers: Vec<Value> = recorded
        .iter()
        .map(|own| json!({ "path": own.path, "status": own.status, "headers": own.headers, "body": own.body }))
        .collect();
    fs::write(file, Value::from(answers).to_string()).with_context(|| format!("{}", file.display()))
}

/// Serves the answers of `file` until it is killed. Says its address first.
pub fn run(file: &Path) -> Result<()> {
    let answers = Arc::new(read_answers(file)?);
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        say(&listener.local_addr()?.to_string());
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let answers = Arc::clone(&answers);
            let service = service_fn(move |request| answer(Arc::clone(&answers), request));
            // A connection that breaks off is the driver's to notice.
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    })
}

async fn answer(
    answers: Arc<HashMap<String, Answer>>,
    request: hyper::Request<Incoming>,
) -> Result<http::Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    // A body that breaks off ends the connection all the same.
    drop(body.collect().await);
    let Some(own) = answers.get(parts.uri.path()) else {
        let mut unknown = http::Response::new(Full::default());
        *unknown.status_mut() = StatusCode::NOT_FOUND;
        return Ok(unknown);
    };
    let mut response = http::Response::new(Full::new(own.body.clone()));
    *response.status_mut() = own.status;
    *response.headers_mut() = own.headers.clone();
    Ok(response)
}

fn read_answers(file: &Path) -> Result<HashMap<String, Answer>> {
    let value: Value = serde_json::from_str(&fs::read_to_string(file)?)?;
    let list = value.as_array().context("the answers are not a list")?;
    list.iter().map(|own| read_answer(own).context("an answer is malformed")).collect()
}

fn read_answer(value: &Value) -> Option<(String, Answer)> {
    let mut headers = HeaderMap::new();
    for pair in value.get("headers")?.as_array()? {
        let name = HeaderName::from_bytes(pair.get(0)?.as_str()?.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_str(pair.get(1)?.as_str()?).ok()?);
    }
    let status = StatusCode::from_u16(u16::try_from(value.get("status")?.as_u64()?).ok()?).ok()?;
    let body = Bytes::from(value.get("body")?.as_str()?.to_owned());
    Some((value.get("path")?.as_str()?.to_owned(), Answer { status, headers, body }))
}
