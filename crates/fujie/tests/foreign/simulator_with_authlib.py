"""Authlib as an application that signs somebody in with PROVIDER, which the simulator at BASE plays. The addresses are
settings; what departs from the standard is told it by hand, as its users do.

Says where the browser begins, reads where it came back, and says in JSON whom the library saw, or why nobody."""

import json
import os
import re
from urllib.parse import urljoin

from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask

PROVIDER, BASE, REDIRECT_URI = (os.environ[name] for name in ["PROVIDER", "BASE", "REDIRECT_URI"])
CLIENT_ID, CLIENT_SECRET = os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]
app = Flask(__name__)
app.secret_key = "loopback only"
authorize, token, known = {
    "wechat": (
        "/connect/qrconnect",
        "/sns/oauth2/access_token",
        {
            "authorize_params": {"appid": CLIENT_ID},
            "access_token_params": {"appid": CLIENT_ID, "secret": CLIENT_SECRET},
            "access_token_method": "GET",
            "client_kwargs": {"scope": "snsapi_login", "token_placement": "uri"},
        },
    ),
    "qq": (
        "/oauth2.0/authorize",
        "/oauth2.0/token",
        {
            "access_token_params": {"fmt": "json"},
            "access_token_method": "GET",
            "client_kwargs": {"token_endpoint_auth_method": "client_secret_post", "token_placement": "uri"},
        },
    ),
    "weibo": ("/oauth2/authorize", "/oauth2/access_token", {"client_kwargs": {"token_placement": "uri"}}),
    "github": (
        "/login/oauth/authorize",
        "/login/oauth/access_token",
        {"client_kwargs": {"scope": "read:user", "code_challenge_method": "S256"}},
    ),
}[PROVIDER]
own = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
addresses = {"authorize_url": BASE + authorize, "access_token_url": BASE + token, "api_base_url": BASE}
remote = OAuth(app).register(PROVIDER, **own, **addresses, **known)


def seen(tokens):
    def get(path, **query):
        # WeChat and QQ label JSON as text without a charset.
        return json.loads(re.search("{.*}", remote.get(path, params=query).content.decode(), re.DOTALL)[0])

    if PROVIDER == "wechat":
        return tokens["openid"], get("/sns/userinfo", openid=tokens["openid"])["nickname"]
    if PROVIDER == "qq":
        openid = get("/oauth2.0/me")["openid"]
        return openid, get("/user/get_user_info", openid=openid, oauth_consumer_key=CLIENT_ID)["nickname"]
    if PROVIDER == "weibo":
        return tokens["uid"], get("/2/users/show.json", uid=tokens["uid"])["screen_name"]
    user = get("/user")
    return str(user["id"]), user["login"]


app.route("/login")(lambda: remote.authorize_redirect(REDIRECT_URI))


@app.route("/callback")
def callback():
    try:
        tokens = remote.authorize_access_token()
    except OAuthError as error:
        return {"error": error.error, "said": error.description}
    # WeChat's errors are not the standard's: the library takes them for tokens.
    return dict(zip(["subject", "nickname"], seen(tokens))) if "access_token" in tokens else {"error": tokens}


with app.test_client() as browser:
    print(browser.get(urljoin(REDIRECT_URI, "/login")).location, flush=True)
    print(browser.get(input()).text)
