//! What to tell those who point a foreign program at a simulated provider: the endpoints by name, and what well-known
//! clients call them.
//!
//! Only names and paths; nothing here is asked at run time. What our own programs call the addresses follows from the
//! provider's record.

use fujie_client::provider;

/// [`Guide::secret`] where apps sign instead of sending a secret: the simulator makes the key, and its control API
/// tells it.
pub const PRIVATE_KEY: &str = "private_key";

/// A provider, for people who set up a client.
pub struct Guide {
    /// The word on the command line.
    pub name: &'static str,
    /// The name that people read.
    pub title: &'static str,
    /// The real hosts that the simulator's one address stands for.
    pub hosts: &'static str,
    /// The provider's word for a client's id.
    pub id: &'static str,
    /// The provider's word for a client's secret, or [`PRIVATE_KEY`].
    pub secret: &'static str,
    /// Endpoints by name, with their real paths.
    pub endpoints: &'static [(&'static str, &'static str)],
    /// What clients call these endpoints.
    pub clients: &'static [(&'static str, &'static str)],
}

impl Guide {
    /// Does anybody sign in there?
    pub fn is_sign_in(&self) -> bool {
        !matches!(self.name, "robot" | "push")
    }

    /// What our own client and our own server call the provider at `base`.
    pub fn ours(&self, base: &str) -> Vec<(&'static str, String)> {
        if !self.is_sign_in() {
            return vec![("fujie serve", format!("{}_at = \"{base}\" in [channel]", self.name))];
        }
        let name = self.name;
        let (client, server) = match provider::named(name) {
            None => (format!("Client::discover(\"{base}\", …)"), format!("issuer = \"{base}\" in [connection.openid]")),
            Some(preset) => {
                let record = preset.at_simulator(base).unwrap_or(preset);
                let is_by_host_alone = record.id_token.is_none() && self.secret != PRIVATE_KEY;
                let client = match is_by_host_alone {
                    true => format!("{}_AT={base} for Client::from_env(\"{name}\")", name.to_uppercase()),
                    false => format!("provider::{name}().at_simulator(\"{base}\")"),
                };
                let issuer = record.id_token.map(|rule| format!(", issuer = \"{}\"", rule.issuer));
                (client, format!("at = \"{base}\"{} in [connection.{name}]", issuer.unwrap_or_default()))
            }
        };
        vec![("fujie-client", client), ("fujie serve", server)]
    }
}

/// WeChat.
pub const WECHAT: Guide = Guide {
    name: "wechat",
    title: "WeChat",
    hosts: "open.weixin.qq.com and api.weixin.qq.com",
    id: "appid",
    secret: "secret",
    endpoints: &[
        ("authorize", "/connect/qrconnect"),
        ("token", "/sns/oauth2/access_token"),
        ("userinfo", "/sns/userinfo"),
    ],
    clients: &[
        (
            "social-core",
            "AUTHORIZATION_URL, ACCESS_TOKEN_URL in a subclass of WeixinOAuth2; its user_data asks userinfo",
        ),
        ("Authlib", "authorize_url, access_token_url, userinfo_endpoint"),
        ("Flask-OAuthlib", "authorize_url, access_token_url, base_url"),
        ("passport-weixin", "authorizationURL, tokenURL, userProfileURL"),
    ],
};

/// GitHub.
pub const GITHUB: Guide = Guide {
    name: "github",
    title: "GitHub",
    hosts: "github.com and api.github.com (also with /api/v3, as on Enterprise Server)",
    id: "client_id",
    secret: "client_secret",
    endpoints: &[
        ("authorize", "/login/oauth/authorize"),
        ("token", "/login/oauth/access_token"),
        ("device", "/login/device/code"),
        ("userinfo", "/user"),
        ("events", "/_simulate/events"),
    ],
    clients: &[
        ("social-core", "GithubEnterpriseOAuth2 with SOCIAL_AUTH_GITHUB_ENTERPRISE_URL, …_API_URL (…/api/v3)"),
        ("Authlib", "authorize_url, access_token_url, api_base_url"),
        ("PyGithub", "Github(base_url=…/api/v3)"),
        ("octokit", "baseUrl: …/api/v3"),
        ("passport-github2", "authorizationURL, tokenURL, userProfileURL, userEmailURL"),
        ("Auth.js", "authorization, token, userinfo; enterprise.baseUrl wants the switch issuer_of_this_host too"),
    ],
};

/// QQ.
pub const QQ: Guide = Guide {
    name: "qq",
    title: "QQ",
    hosts: "graph.qq.com",
    id: "client_id",
    secret: "client_secret",
    endpoints: &[
        ("authorize", "/oauth2.0/authorize"),
        ("token", "/oauth2.0/token"),
        ("openid", "/oauth2.0/me"),
        ("userinfo", "/user/get_user_info"),
    ],
    clients: &[
        (
            "social-core",
            "AUTHORIZATION_URL, ACCESS_TOKEN_URL, OPENID_URL in a subclass of QQOAuth2; its user_data asks userinfo",
        ),
        ("Authlib", "authorize_url, access_token_url, api_base_url"),
        ("Flask-OAuthlib", "authorize_url, access_token_url, base_url"),
        ("passport-qq", "authorizationURL, tokenURL; its userProfile asks openid and userinfo"),
    ],
};

/// Weibo.
pub const WEIBO: Guide = Guide {
    name: "weibo",
    title: "Weibo",
    hosts: "api.weibo.com",
    id: "client_id",
    secret: "client_secret",
    endpoints: &[
        ("authorize", "/oauth2/authorize"),
        ("token", "/oauth2/access_token"),
        ("uid", "/2/account/get_uid.json"),
        ("userinfo", "/2/users/show.json"),
    ],
    clients: &[
        (
            "social-core",
            "AUTHORIZATION_URL, ACCESS_TOKEN_URL in a subclass of WeiboOAuth2; its user_data asks userinfo",
        ),
        ("Authlib", "authorize_url, access_token_url, api_base_url"),
        ("Flask-OAuthlib", "authorize_url, access_token_url, base_url"),
        ("passport-weibo", "authorizationURL, tokenURL, getuidAPI, getProfileAPI"),
    ],
};

/// OpenID Connect.
pub const OIDC: Guide = Guide {
    name: "oidc",
    title: "OpenID",
    hosts: "an OpenID provider",
    id: "client_id",
    secret: "client_secret",
    endpoints: &[
        ("issuer", ""),
        ("discovery", "/.well-known/openid-configuration"),
        ("authorize", "/authorize"),
        ("token", "/token"),
        ("userinfo", "/userinfo"),
        ("device", "/device_authorization"),
    ],
    clients: &[
        ("social-core", "SOCIAL_AUTH_OIDC_OIDC_ENDPOINT: the issuer"),
        ("Authlib", "server_metadata_url: the discovery address"),
        ("openid-client", "discovery(new URL(issuer), …) with allowInsecureRequests"),
    ],
};

/// Gitee.
pub const GITEE: Guide = Guide {
    name: "gitee",
    title: "Gitee",
    hosts: "gitee.com",
    id: "client_id",
    secret: "client_secret",
    endpoints: &[("authorize", "/oauth/authorize"), ("token", "/oauth/token"), ("userinfo", "/api/v5/user")],
    clients: &[
        ("Authlib", "authorize_url, access_token_url, api_base_url"),
        ("JustAuth", "authorize(), accessToken(), userInfo() in an AuthSource of your own"),
    ],
};

/// DingTalk.
pub const DINGTALK: Guide = Guide {
    name: "dingtalk",
    title: "DingTalk",
    hosts: "login.dingtalk.com and api.dingtalk.com",
    id: "clientId",
    secret: "clientSecret",
    endpoints: &[
        ("authorize", "/oauth2/auth"),
        ("token", "/v1.0/oauth2/userAccessToken"),
        ("userinfo", "/v1.0/contact/users/me"),
    ],
    clients: &[("JustAuth", "authorize(), accessToken(), userInfo() in an AuthSource of your own")],
};

/// Feishu.
pub const FEISHU: Guide = Guide {
    name: "feishu",
    title: "Feishu",
    hosts: "accounts.feishu.cn and open.feishu.cn",
    id: "client_id",
    secret: "client_secret",
    endpoints: &[
        ("authorize", "/open-apis/authen/v1/authorize"),
        ("token", "/open-apis/authen/v2/oauth/token"),
        ("userinfo", "/open-apis/authen/v1/user_info"),
    ],
    clients: &[("JustAuth", "authorize(), accessToken(), userInfo() in an AuthSource of your own")],
};

/// WeCom.
pub const WECOM: Guide = Guide {
    name: "wecom",
    title: "WeCom",
    hosts: "login.work.weixin.qq.com and qyapi.weixin.qq.com",
    id: "appid",
    secret: "corpsecret",
    endpoints: &[
        ("authorize", "/wwlogin/sso/login"),
        ("token", "/cgi-bin/gettoken"),
        ("userinfo", "/cgi-bin/auth/getuserinfo"),
    ],
    clients: &[("JustAuth", "authorize(), accessToken(), userInfo() in an AuthSource of your own")],
};

/// Douyin.
pub const DOUYIN: Guide = Guide {
    name: "douyin",
    title: "Douyin",
    hosts: "open.douyin.com",
    id: "client_key",
    secret: "client_secret",
    endpoints: &[
        ("authorize", "/platform/oauth/connect/"),
        ("token", "/oauth/access_token/"),
        ("userinfo", "/oauth/userinfo/"),
    ],
    clients: &[("JustAuth", "authorize(), accessToken(), userInfo() in an AuthSource of your own")],
};

/// Baidu.
pub const BAIDU: Guide = Guide {
    name: "baidu",
    title: "Baidu",
    hosts: "openapi.baidu.com",
    id: "client_id",
    secret: "client_secret",
    endpoints: &[
        ("authorize", "/oauth/2.0/authorize"),
        ("token", "/oauth/2.0/token"),
        ("userinfo", "/rest/2.0/passport/users/getInfo"),
    ],
    clients: &[
        ("Authlib", "authorize_url, access_token_url, api_base_url"),
        ("JustAuth", "authorize(), accessToken(), userInfo() in an AuthSource of your own"),
    ],
};

/// Discord.
pub const DISCORD: Guide = Guide {
    name: "discord",
    title: "Discord",
    hosts: "discord.com",
    id: "client_id",
    secret: "client_secret",
    endpoints: &[("authorize", "/oauth2/authorize"), ("token", "/api/oauth2/token"), ("userinfo", "/api/users/@me")],
    clients: &[
        (
            "social-core",
            "AUTHORIZATION_URL, ACCESS_TOKEN_URL in a subclass of DiscordOAuth2; its user_data asks userinfo",
        ),
        ("Authlib", "authorize_url, access_token_url, api_base_url"),
    ],
};

/// Alipay.
pub const ALIPAY: Guide = Guide {
    name: "alipay",
    title: "Alipay",
    hosts: "openauth.alipay.com and openapi.alipay.com",
    id: "app_id",
    secret: PRIVATE_KEY,
    endpoints: &[("authorize", "/oauth2/publicAppAuthorize.htm"), ("gateway", "/gateway.do")],
    clients: &[
        ("alipay-sdk", "the gateway: server_url of AlipayClientConfig (Python), gateway (Node)"),
        ("alipay-sdk-java", "the gateway: serverUrl of DefaultAlipayClient"),
    ],
};

/// Apple.
pub const APPLE: Guide = Guide {
    name: "apple",
    title: "Apple",
    hosts: "appleid.apple.com",
    id: "client_id",
    secret: PRIVATE_KEY,
    endpoints: &[
        ("issuer", ""),
        ("discovery", "/.well-known/openid-configuration"),
        ("authorize", "/auth/authorize"),
        ("token", "/auth/token"),
        ("keys", "/auth/keys"),
    ],
    clients: &[
        ("social-core", "AUTHORIZATION_URL, ACCESS_TOKEN_URL, JWK_URL in a subclass of AppleIdAuth"),
        ("Authlib", "server_metadata_url: the discovery address"),
        ("openid-client", "discovery(new URL(issuer), …) with allowInsecureRequests"),
    ],
};

/// Google.
pub const GOOGLE: Guide = Guide {
    name: "google",
    title: "Google",
    hosts: "accounts.google.com, oauth2.googleapis.com and openidconnect.googleapis.com",
    id: "client_id",
    secret: "client_secret",
    endpoints: &[
        ("issuer", ""),
        ("discovery", "/.well-known/openid-configuration"),
        ("authorize", "/o/oauth2/v2/auth"),
        ("token", "/token"),
        ("userinfo", "/v1/userinfo"),
        ("device", "/device/code"),
    ],
    clients: &[
        ("social-core", "OIDC_ENDPOINT in a subclass of GoogleOpenIdConnect: the issuer"),
        ("Authlib", "server_metadata_url: the discovery address"),
        ("openid-client", "discovery(new URL(issuer), …) with allowInsecureRequests"),
    ],
};

/// Microsoft.
pub const MICROSOFT: Guide = Guide {
    name: "microsoft",
    title: "Microsoft",
    hosts: "login.microsoftonline.com and graph.microsoft.com",
    id: "client_id",
    secret: "client_secret",
    endpoints: &[
        ("discovery", "/common/v2.0/.well-known/openid-configuration"),
        ("authorize", "/common/oauth2/v2.0/authorize"),
        ("token", "/common/oauth2/v2.0/token"),
        ("userinfo", "/oidc/userinfo"),
        ("graph", "/v1.0/me"),
        ("device", "/common/oauth2/v2.0/devicecode"),
    ],
    clients: &[
        ("Authlib", "server_metadata_url: the discovery address"),
        ("openid-client", "discovery(new URL(the discovery address), …) with allowInsecureRequests"),
    ],
};

/// GitLab.
pub const GITLAB: Guide = Guide {
    name: "gitlab",
    title: "GitLab",
    hosts: "gitlab.com, or a GitLab of your own",
    id: "client_id",
    secret: "client_secret",
    endpoints: &[
        ("issuer", ""),
        ("discovery", "/.well-known/openid-configuration"),
        ("authorize", "/oauth/authorize"),
        ("token", "/oauth/token"),
        ("userinfo", "/oauth/userinfo"),
        ("api", "/api/v4/user"),
    ],
    clients: &[
        ("social-core", "SOCIAL_AUTH_GITLAB_API_URL: the base address"),
        ("Authlib", "server_metadata_url, or authorize_url, access_token_url, api_base_url"),
        ("openid-client", "discovery(new URL(issuer), …) with allowInsecureRequests"),
    ],
};

/// Group robots.
pub const ROBOT: Guide = Guide {
    name: "robot",
    title: "Group robots",
    hosts: "oapi.dingtalk.com, open.feishu.cn, open.larksuite.com and qyapi.weixin.qq.com",
    id: "access_token",
    secret: "secret",
    // Whole addresses, as a group's settings give them, of the robots that are there without a file.
    endpoints: &[
        ("dingtalk", "/robot/send?access_token=fa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4e"),
        ("feishu", "/open-apis/bot/v2/hook/fa4efa4e-fa4e-fa4e-fa4e-fa4efa4efa41"),
        ("wecom", "/cgi-bin/webhook/send?key=fa4efa4e-fa4e-fa4e-fa4e-fa4efa4efa42"),
        ("messages", "/_simulate/messages"),
    ],
    clients: &[
        ("any program", "its webhook address; Feishu's secret is fa4efa4efa4efa4efa4efa"),
        ("DingtalkChatbot", "webhook, secret"),
    ],
};

/// A push service.
pub const PUSH: Guide = Guide {
    name: "push",
    title: "Web Push",
    hosts: "the push service of a browser",
    id: "subscription",
    secret: "for the key",
    endpoints: &[("push", "/push/demo"), ("messages", "/_simulate/messages")],
    clients: &[
        ("pywebpush", "endpoint in subscription_info, with keys of your own"),
        ("web-push", "endpoint of the subscription, with keys of your own"),
    ],
};
