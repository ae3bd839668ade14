//! Forms and the browser they belong to: the defence against cross-site requests, and how pages are answered.

use fujie_channel::event::is_topic;
use fujie_core::{
    account::Session,
    random::SystemRandom,
    request::{
        authorize::{self, AuthorizeRequest},
        parameters::{Parameters, encode},
    },
    secret::{Digest, Kind, Secret, sha256},
    time::{Lifetime, Timestamp},
    token::record::{Reader, Writer},
};
use fujie_store::{NewSession, StoreError};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};

use crate::{
    cookie::Name,
    http::{Body, Request, Response, with_header},
    page::{ErrorKind, ErrorPage, FormPost, Lang, LangLink, Page, Shell},
    server::Server,
    snapshot::Snapshot,
};

/// How long the cookie that binds forms to a browser lives.
const BROWSER_LIFETIME: Lifetime = Lifetime::from_days(1);
const LANG_LIFETIME: Lifetime = Lifetime::from_days(365);

/// One browser request, with what its cookies say.
pub(crate) struct Visit<'a> {
    pub server: &'a Server,
    pub request: &'a Request,
    pub now: Timestamp,
    pub lang: Lang,
    /// The cookie that binds forms to this browser; made now if there was none.
    browser: String,
    is_new_browser: bool,
    /// The language was chosen on this page.
    chosen: Option<String>,
    /// The session's cookie, unjudged.
    pub session_token: Option<String>,
}

/// What stops a form or a page: an answer that is ready.
pub(crate) type Stopped = Box<Response>;

impl<'a> Visit<'a> {
    /// Reads cookies and language. `resume` is the request that the page belongs to, for its `ui_locales`.
    pub fn new(server: &'a Server, request: &'a Request) -> Self {
        let cookie = |name| server.cookies.read(request, &name);
        let known = cookie(Name::Browser).filter(|text| Digest::of_token(Kind::Browser, text).is_some());
        let is_new_browser = known.is_none();
        let browser = known.unwrap_or_else(|| Secret::random(Kind::Browser, &mut SystemRandom).expose().to_owned());
        let query = request.query().unwrap_or_default();
        let chosen = query.text("lang").filter(|lang| ["en", "zh-CN"].contains(lang)).map(str::to_owned);
        let kept = cookie(Name::Lang);
        let lang = Lang::choose(chosen.as_deref(), kept.as_deref(), request.header(header::ACCEPT_LANGUAGE));
        Self {
            server,
            request,
            now: server.now(),
            lang,
            browser,
            is_new_browser,
            chosen,
            session_token: cookie(Name::Session),
        }
    }

    /// Lets the authorization request have its say about the language, unless somebody chose one for it.
    pub fn speak(&mut self, resume: &str, ui_locales: Option<&str>) {
        let kept = self.server.cookies.read(self.request, &Name::Lang);
        if let Some(lang) = &mut self.chosen {
            // Remembered with the request it was chosen in: there it outranks `ui_locales`.
            *lang = format!("{lang}.{}", mark(resume));
            return;
        }
        let was_chosen_here = kept.as_deref().is_some_and(|kept| kept.ends_with(&format!(".{}", mark(resume))));
        let ui_locales = ui_locales.filter(|_| !was_chosen_here);
        let kept = kept.as_deref().map(|kept| kept.split('.').next().unwrap_or_default());
        self.lang = Lang::choose(ui_locales, kept, self.request.header(header::ACCEPT_LANGUAGE));
    }

    /// The session of this browser, if it is alive.
    pub async fn session(&self) -> Result<Option<Session>, StoreError> {
        match self.session_id() {
            Some(id) => self.server.store.session(id, self.now).await,
            None => Ok(None),
        }
    }

    /// The digest of this browser's session cookie, unjudged.
    pub fn session_id(&self) -> Option<Digest> {
        self.session_token.as_deref().and_then(|text| Digest::of_token(Kind::Session, text))
    }

    /// A session to be begun in this browser, with its cookie's value. The session it had before ends in its favour.
    pub fn new_session(&self, amr: &str, auth_time: Timestamp, fresh_for: [u8; 32]) -> (Secret, NewSession) {
        let token = Secret::random(Kind::Session, &mut SystemRandom);
        let session = NewSession {
            id: Digest::of(Kind::Session, token.expose()),
            auth_time,
            amr: amr.to_owned(),
            fresh_for: Some(fresh_for),
            expires_at: self.now + self.server.settings.policy.session,
            replaces: self.session_id(),
        };
        (token, session)
    }

    /// The digest of the bind ticket this browser carries.
    pub fn ticket(&self) -> Option<Digest> {
        let text = self.server.cookies.read(self.request, &Name::BindTicket)?;
        Digest::of_token(Kind::BindTicket, &text)
    }

    /// A form's token for `purpose` and what it is about.
    pub fn csrf(&self, snapshot: &Snapshot, purpose: &str, about: &str) -> String {
        snapshot.ring.csrf(&self.csrf_parts(purpose, about), self.now).unwrap_or_default()
    }

    fn csrf_parts<'b>(&'b self, purpose: &'b str, about: &'b str) -> [&'b str; 4] {
        // The sign-in page outlives a sign-in in another tab; everything else belongs to its session.
        let session = self.session_token.as_deref().filter(|_| purpose != "sign-in").unwrap_or_default();
        [purpose, &self.browser, session, about]
    }

    /// The fields of a form of ours: same site, same browser, same session, same matter.
    pub fn form(&self, snapshot: &Snapshot, purpose: &str, about: &str) -> Result<Parameters, Stopped> {
        let fields = self.request.form().unwrap_or_default();
        let about = if about.is_empty() { "" } else { fields.text(about).unwrap_or_default() };
        let token = fields.text("csrf").unwrap_or_default();
        let is_ours = !self.is_new_browser
            && self.is_same_origin()
            && snapshot.ring.csrf_matches(token, &self.csrf_parts(purpose, about));
        if is_ours { Ok(fields) } else { Err(Box::new(self.error(ErrorKind::Forbidden))) }
    }

    /// What a browser says about where a POST comes from; a client that says nothing still needs the form's token.
    fn is_same_origin(&self) -> bool {
        let site = self.request.header(HeaderName::from_static("sec-fetch-site"));
        let origin = self.request.header(header::ORIGIN);
        // Our pages send no referrer, and to browsers that makes the origin of their forms `null`.
        let is_own = |origin: &str| origin == self.server.issuer() || origin == "null";
        site.is_none_or(|site| site == "same-origin") && origin.is_none_or(is_own)
    }

    /// A page of ours. `targets` are the origins beyond our own where its forms may end after redirects.
    pub fn page<P: Page>(&self, code: StatusCode, page: &P, targets: &[String]) -> Response {
        self.page_under(code, page, &ContentPolicy { targets, ..ContentPolicy::default() })
    }

    /// A page of ours that lets in what others do not.
    pub fn page_under<P: Page>(&self, code: StatusCode, page: &P, policy: &ContentPolicy<'_>) -> Response {
        let has_address = P::TEMPLATE != FormPost::TEMPLATE && !policy.is_framed;
        let html = match self.server.pages.render(page, &self.shell(has_address), self.lang) {
            Ok(html) => html,
            Err(error) => {
                tracing::error!(%error, "a page could not be rendered");
                return crate::http::status(StatusCode::INTERNAL_SERVER_ERROR);
            }
        };
        let mut response = Response::new(Body::whole(html));
        *response.status_mut() = code;
        let headers = response.headers_mut();
        let fixed = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CACHE_CONTROL, "no-store"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::X_FRAME_OPTIONS, if policy.is_framed { "SAMEORIGIN" } else { "DENY" }),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        ];
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let response = with_header(response, header::CONTENT_LANGUAGE, self.lang.code());
        let response = with_header(response, header::CONTENT_SECURITY_POLICY, &policy.text());
        let response = if self.server.issuer().starts_with("https://") {
            with_header(response, header::STRICT_TRANSPORT_SECURITY, "max-age=63072000")
        } else {
            response
        };
        // A frame brings no cookies along: those that it would be given are not new.
        if policy.is_framed { response } else { self.remember(response) }
    }

    /// The answer with the cookies that this visit made.
    pub fn remember(&self, mut response: Response) -> Response {
        if self.is_new_browser {
            response = self.server.cookies.set(response, &Name::Browser, &self.browser, BROWSER_LIFETIME);
        }
        if let Some(lang) = &self.chosen {
            response = self.server.cookies.set(response, &Name::Lang, lang, LANG_LIFETIME);
        }
        response
    }

    /// An error page.
    pub fn error(&self, kind: ErrorKind) -> Response {
        let code = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let response = self.page(code, &ErrorPage { kind }, &[]);
        if code == StatusCode::SERVICE_UNAVAILABLE {
            return with_header(response, header::RETRY_AFTER, "2");
        }
        response
    }

    /// The page for a store that failed.
    pub fn unavailable(&self, error: &StoreError) -> Response {
        tracing::error!(%error, "the store failed");
        self.error(ErrorKind::Unavailable)
    }

    fn shell(&self, has_address: bool) -> Shell {
        let settings = &self.server.settings;
        // An answer on its way has no address of its own: asking for it again would grant again.
        let links = if self.request.method == Method::GET && has_address { self.lang_links() } else { Vec::new() };
        Shell { lang_links: links, instance_name: settings.name.clone(), demo_banner: settings.is_demo }
    }

    /// This page's own address in each language.
    fn lang_links(&self) -> Vec<LangLink> {
        let kept: Vec<_> =
            self.request.query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("lang=")).collect();
        Lang::ALL
            .into_iter()
            .map(|lang| {
                let own = format!("lang={}", lang.code());
                let query: Vec<_> = kept.iter().copied().chain([own.as_str()]).collect();
                let url = format!("{}?{}", self.request.path, query.join("&"));
                LangLink { lang, url, current: lang == self.lang }
            })
            .collect()
    }
}

/// What a page may load and where it may lead: no inline anything, nothing foreign but what is named here.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ContentPolicy<'a> {
    /// Origins beyond our own where forms may end after redirects.
    pub targets: &'a [String],
    /// The one foreign script.
    pub script: Option<&'a str>,
    /// Sources of frames.
    pub frames: &'a [&'a str],
    /// It may itself stand in a frame of a page of ours.
    pub is_framed: bool,
    /// Its script follows what happens here, and may offer notifications.
    pub is_live: bool,
}

impl ContentPolicy<'_> {
    /// Chrome holds every redirect after a POST to `form-action` too, also those that an application makes after its
    /// callback, so a page whose forms lead away names schemes, not origins.
    fn text(&self) -> String {
        let away = if self.targets.is_empty() { "" } else { " https: http:" };
        let private = self.targets.iter().filter(|origin| origin.ends_with(':'));
        let private: String = private.map(|scheme| format!(" {scheme}")).collect();
        let script: String = self.script.iter().map(|script| format!(" {script}")).collect();
        let frames =
            if self.frames.is_empty() { String::new() } else { format!("frame-src {}; ", self.frames.join(" ")) };
        let ancestors = if self.is_framed { "'self'" } else { "'none'" };
        let live = if self.is_live { "connect-src 'self'; worker-src 'self'; manifest-src 'self'; " } else { "" };
        format!(
            "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'{script}; {frames}{live}\
             form-action 'self'{away}{private}; base-uri 'none'; frame-ancestors {ancestors}"
        )
    }
}

fn mark(resume: &str) -> String {
    sha256(resume.as_bytes()).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// Where a way ends that was for `resume`: at the hub, at the page of a topic or an identity that somebody was led away
/// from, or on the account page when it was for nothing.
pub(crate) fn hub(resume: &str) -> String {
    match topic_path(resume) {
        _ if resume.is_empty() => "/account".to_owned(),
        Some(path) => path,
        None if identity_reference(resume).is_some() => resume.to_owned(),
        None => format!("/authorize?resume={}", encode(resume)),
    }
}

/// The page of topics, or of the one topic, that `path` is or lies below. Nothing sealed and nothing foreign: no sealed
/// request is spelled so.
pub(crate) fn topic_path(path: &str) -> Option<String> {
    let rest = path.strip_prefix("/topics")?;
    if rest.is_empty() {
        return Some(path.to_owned());
    }
    let name = rest.strip_prefix('/')?.split('/').next()?;
    is_topic(name).then(|| format!("/topics/{name}"))
}

/// The reference in the path of an identity's page: 64 hexadecimal digits, and nothing after them.
pub(crate) fn identity_reference(path: &str) -> Option<&str> {
    let reference = path.strip_prefix("/account/identities/")?;
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (reference.len() == 64 && reference.bytes().all(is_digit)).then_some(reference)
}

/// Seals the query of an authorization request as `resume`.
pub(crate) fn seal_resume(server: &Server, snapshot: &Snapshot, query: &str, now: Timestamp) -> Option<String> {
    let record = Writer::default().i64((now + server.settings.policy.request).millis()).text(query).finish();
    snapshot.ring.seal(Kind::Resume, &record, now, &mut SystemRandom)
}

/// Opens a `resume`: the query that it seals. `None` when it is not ours or too old.
pub(crate) fn open_resume(snapshot: &Snapshot, resume: &str, now: Timestamp) -> Option<String> {
    let record = snapshot.ring.open(Kind::Resume, resume)?;
    let mut reader = Reader::new(&record);
    let expires_at = Timestamp::from_millis(reader.i64()?);
    let query = reader.text()?.to_owned();
    reader.end()?;
    (now < expires_at).then_some(query)
}

/// The authorization request in a `resume`, if it is still a good one.
pub(crate) fn resumed(server: &Server, snapshot: &Snapshot, resume: &str, now: Timestamp) -> Option<AuthorizeRequest> {
    let query = open_resume(snapshot, resume, now)?;
    authorize::parse(query.as_bytes(), &snapshot.registry, server.issuer()).ok()
}

#[cfg(test)]
mod tests {
    use super::hub;

    #[test]
    fn a_way_ends_where_it_was_for_and_nowhere_else() {
        for (resume, place) in [
            ("", "/account"),
            ("/topics", "/topics"),
            ("/topics/team", "/topics/team"),
            ("/topics/team/settings?x=1", "/topics/team"),
            ("fj_rq_abc", "/authorize?resume=fj_rq_abc"),
            ("//evil.example/topics/team", "/authorize?resume=%2F%2Fevil.example%2Ftopics%2Fteam"),
            ("/topics/..", "/authorize?resume=%2Ftopics%2F.."),
            ("/topics//evil.example", "/authorize?resume=%2Ftopics%2F%2Fevil.example"),
            ("/topicsx", "/authorize?resume=%2Ftopicsx"),
        ] {
            assert_eq!(hub(resume), place);
        }
        let path = format!("/account/identities/{}", "0123456789abcdef".repeat(4));
        assert_eq!(hub(&path), path);
        for other in [
            format!("{path}0"),
            path[..path.len() - 1].to_owned(),
            format!("{path}/"),
            format!("{path}?x=1"),
            format!("/{path}"),
            format!("https://evil.example{path}"),
            path.to_uppercase(),
            path.replace('f', "F"),
            path.replace('0', "/"),
            path.replace('0', "."),
        ] {
            assert!(hub(&other).starts_with("/authorize?resume="), "{other}");
        }
    }
}
