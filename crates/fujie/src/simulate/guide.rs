//! What to tell those who point a foreign program at a simulated provider: the endpoints by name, and what well-known
//! clients call them.
//!
//! Only names and paths; nothing here is asked at run time.

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
    /// The provider's word for a client's secret.
    pub secret: &'static str,
    /// Endpoints by name, with their real paths.
    pub endpoints: &'static [(&'static str, &'static str)],
    /// What clients call these endpoints.
    pub clients: &'static [(&'static str, &'static str)],
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
