//! `GET /connect/qrconnect`: the page with the QR code, and the pages that say why there is none.
//!
//! Checks what the real page checks: appid, scope, callback domain; not `response_type`, and not
//! the order of parameters. Answers with a redirect only where `auto_confirm` says so. The page's
//! script keeps polling and leaves for the redirect URI; everything it needs stands in data
//! attributes.

use super::config::AppKind;
use super::control;
use super::picture::confirm_url;
use super::simulation::Simulation;
use crate::fields::Fields;
use crate::page::{self, Language, escape};
use crate::random::NoRandomness;
use crate::sign_in::found;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use url::Url;

/// The page's script.
pub(crate) const SCRIPT: &str = include_str!("../assets/qrconnect.js");
/// The page's style sheet.
pub(crate) const STYLE: &str = include_str!("../assets/qrconnect.css");

/// What the page refuses; the words are the real ones.
const APPID_FAULT: &str = "AppID 参数错误";
const SCOPE_FAULT: &str = "Scope 参数错误或没有 Scope 权限";
const REDIRECT_URI_FAULT: &str = "redirect_uri 参数错误";

pub(crate) async fn page(
    State(simulation): State<Arc<Simulation>>,
    RawQuery(query): RawQuery,
) -> Result<Response, NoRandomness> {
    let fields = Fields::of(query.unwrap_or_default().as_bytes());
    let language = Language::named(fields.sent("lang")).unwrap_or(Language::Chinese);
    let request = match check(&simulation, &fields) {
        Ok(request) => request,
        Err(fault) => return Ok(fault_page(language, fault)),
    };
    let uuid = simulation.begin(request.appid, request.redirect_uri, request.state)?;
    let confirmed_at_once = confirmed_at_once(&simulation, &uuid);
    if fields.sent("f") == Some("xml") {
        let xml = format!("<xml><uuid><![CDATA[{uuid}]]></uuid></xml>");
        return Ok(([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], xml).into_response());
    }
    if let Some(address) = confirmed_at_once {
        return Ok(found(&address));
    }
    let looks = Looks::of(&fields);
    let denial_redirects = simulation.world().config.switches.denial_redirects;
    let view = View { request, uuid, language, denial_redirects, base_url: simulation.base_url() };
    let title = language.say("微信登录（模拟）", "WeChat sign-in (simulated)");
    let body = format!(
        "<body class=\"{classes}\" data-color-scheme=\"{scheme}\">\n{main}\n\
         <script src=\"/_simulate/assets/qrconnect.js\"></script>\n</body>",
        classes = looks.classes,
        scheme = looks.color_scheme,
        main = view.main(fields.sent("self_redirect").unwrap_or_default()),
    );
    Ok(page::answer(StatusCode::OK, page::document(language, title, &looks.head(), &body)))
}

/// Where the browser goes when somebody agrees to every sign-in; the real page never redirects.
fn confirmed_at_once(simulation: &Simulation, uuid: &str) -> Option<String> {
    let person = simulation.world().scene.auto_confirm.clone()?;
    control::perform(simulation, uuid, "confirm", Some(&person)).ok()?;
    let (now, world) = (simulation.now(), simulation.world());
    world.sign_ins.get(uuid)?.redirect_url(now, world.config.switches.denial_redirects)
}

/// A request that may be shown a QR code.
struct Request<'a> {
    appid: &'a str,
    app_name: String,
    redirect_uri: &'a str,
    state: &'a str,
}

fn check<'a>(simulation: &Simulation, fields: &'a Fields) -> Result<Request<'a>, &'static str> {
    let appid = fields.filled("appid").ok_or(APPID_FAULT)?;
    let world = simulation.world();
    let app = world.app(appid).ok_or(APPID_FAULT)?;
    let scope = fields.sent("scope").unwrap_or_default();
    if app.kind != AppKind::Website || !scope.split(',').any(|scope| scope == "snsapi_login") {
        return Err(SCOPE_FAULT);
    }
    let redirect_uri = fields.sent("redirect_uri").unwrap_or_default();
    if !Url::parse(redirect_uri).is_ok_and(|uri| app.callback_domain.admits(&uri)) {
        return Err(REDIRECT_URI_FAULT);
    }
    let state = fields.sent("state").unwrap_or_default();
    Ok(Request { appid, app_name: app.name.clone(), redirect_uri, state })
}

/// The status is 200 as with the real pages, and nothing is redirected.
fn fault_page(language: Language, fault: &str) -> Response {
    let head = "<link rel=\"stylesheet\" href=\"/_simulate/assets/qrconnect.css\">\n";
    let body = format!(
        "<body class=\"fault\">\n<main class=\"main impowerBox\">\n<div class=\"loginPanel\">\n\
         <h1 class=\"title\">{fault}</h1>\n<p class=\"hint\">{hint}</p>\n</div>\n</main>\n</body>",
        fault = escape(fault),
        hint = language.say(
            "模拟器按微信开放平台的规则拒绝了这次请求。",
            "The simulator refused this request by the rules of WeChat's open platform.",
        ),
    );
    page::answer(StatusCode::OK, page::document(language, fault, head, &body))
}

/// What the embedding page asked of the looks.
struct Looks {
    classes: String,
    color_scheme: &'static str,
    extra_style: Option<String>,
}

impl Looks {
    fn of(fields: &Fields) -> Self {
        let mut classes = "sign-in".to_owned();
        let is_lite = fields.sent("stylelite") == Some("1");
        for (name, value, class) in
            [("login_type", "jssdk", " embedded"), ("style", "white", " white"), ("stylelite", "1", " lite")]
        {
            if fields.sent(name) == Some(value) {
                classes.push_str(class);
            }
        }
        let is_style = |href: &&str| href.starts_with("https://") || href.starts_with("data:text/css;base64,");
        Self {
            classes,
            color_scheme: match fields.sent("color_scheme") {
                Some("dark") => "dark",
                Some("auto") => "auto",
                _ => "light",
            },
            // Documented: `href` does not apply to the lite look.
            extra_style: fields.filled("href").filter(is_style).filter(|_| !is_lite).map(escape),
        }
    }

    fn head(&self) -> String {
        let own = "<link rel=\"stylesheet\" href=\"/_simulate/assets/qrconnect.css\">\n";
        match &self.extra_style {
            Some(href) => format!("{own}<link rel=\"stylesheet\" href=\"{href}\">\n"),
            None => own.to_owned(),
        }
    }
}

/// The page's facts.
struct View<'a> {
    request: Request<'a>,
    uuid: String,
    language: Language,
    denial_redirects: bool,
    base_url: &'a str,
}

impl View<'_> {
    /// Ids and classes are the real ones; scrapers and tests rely on them.
    fn main(&self, self_redirect: &str) -> String {
        let say = |chinese, english| self.language.say(chinese, english);
        format!(
            "<main class=\"main impowerBox\" id=\"sign_in\" data-uuid=\"{uuid}\" \
             data-redirect-uri=\"{redirect_uri}\" data-state=\"{state}\" \
             data-self-redirect=\"{self_redirect}\" data-denial-redirects=\"{denial_redirects}\">\n\
             <div class=\"loginPanel normalPanel\">\n<h1 class=\"title\">{title}</h1>\n\
             <div class=\"waiting panelContent\">\n\
             <div class=\"wrp_code\"><img class=\"qrcode lightBorder\" src=\"/connect/qrcode/{uuid}\" \
             alt=\"{alt}\" width=\"240\" height=\"240\"></div>\n\
             <div class=\"info\" role=\"status\">\n{statuses}</div>\n\
             <noscript><p class=\"hint\">{noscript}</p></noscript>\n</div>\n</div>\n{simulated}\n</main>",
            uuid = self.uuid,
            redirect_uri = escape(self.request.redirect_uri),
            state = escape(self.request.state),
            self_redirect = escape(self_redirect),
            denial_redirects = self.denial_redirects,
            title = say("微信登录", "WeChat sign-in"),
            alt = say("登录二维码", "QR code for signing in"),
            statuses = self.statuses(),
            noscript = say("请启用 JavaScript 后重新打开本页。", "Please enable JavaScript and reload."),
            simulated = self.simulated(),
        )
    }

    /// Three blocks, one visible at a time.
    fn statuses(&self) -> String {
        let say = |chinese, english| self.language.say(chinese, english);
        let block = |id: &str, hidden: &str, line: &str, quiet: &str| {
            format!(
                "<div class=\"status status_browser js_status normal\" id=\"{id}\"{hidden}>\
                 <p class=\"line\">{line}</p><p class=\"quiet\">{quiet}</p></div>\n"
            )
        };
        let name = escape(&self.request.app_name);
        let to_app = match self.language {
            Language::Chinese => format!("登录“{name}”"),
            Language::English => format!("to sign in to “{name}”"),
        };
        let scan = say("请用微信扫描二维码", "Scan this code with WeChat");
        let scanned = say("扫描成功", "Scanned");
        let confirm = say("请在手机上点“同意”", "Please tap “Agree” on your phone");
        let cancelled = say("你已取消这次登录", "You cancelled this sign-in");
        let again = say("可以再扫一次，或关闭窗口", "Scan again, or close this window");
        block("wx_default_tip", "", scan, &to_app)
            + &block("wx_after_scan", " hidden", scanned, confirm)
            + &block("wx_after_cancel", " hidden", cancelled, again)
    }

    /// What the real page does not have.
    fn simulated(&self) -> String {
        let say = |chinese, english| self.language.say(chinese, english);
        format!(
            "<aside class=\"simulated\"><p><span class=\"tag\">{tag}</span><span class=\"explain\">{text}</span></p>\
             <a id=\"simulated_phone\" href=\"{address}&amp;lang={lang}\" target=\"_blank\" \
             rel=\"noopener\">{open}</a></aside>",
            tag = say("模拟器", "Simulator"),
            text = say("并非真实微信，没有手机也能登录", "Not the real WeChat. No phone needed."),
            address = escape(&confirm_url(self.base_url, &self.uuid)),
            lang = self.language.parameter(),
            open = say("打开模拟手机", "Open the simulated phone"),
        )
    }
}
