"""Flask-OAuthlib as an application that signs somebody in with PROVIDER, which the simulator at BASE plays. It has
factories for GitHub and Weibo; QQ is told it by hand. The addresses are arguments in any case.

Says where the browser begins, reads where it came back, and says in JSON whom the library saw, or why nobody."""

import json
import os
import re
from urllib.parse import urljoin

from flask import Flask, request
from flask_oauthlib.client import OAuth, OAuthException
from flask_oauthlib.contrib import apps

PROVIDER, BASE, REDIRECT_URI = (os.environ[name] for name in ["PROVIDER", "BASE", "REDIRECT_URI"])
app = Flask(__name__)
app.secret_key = "loopback only"
own = {"consumer_key": os.environ["CLIENT_ID"], "consumer_secret": os.environ["CLIENT_SECRET"]}
of_qq = {"name": "qq", "request_token_params": {"scope": "get_user_info"}, "access_token_method": "GET"}
create, authorize, token, named = {
    "qq": (OAuth.remote_app, "/oauth2.0/authorize", "/oauth2.0/token", of_qq),
    "weibo": (apps.weibo.create, "/oauth2/authorize", "/oauth2/access_token", {}),
    "github": (apps.github.create, "/login/oauth/authorize", "/login/oauth/access_token", {}),
}[PROVIDER]
remote = create(OAuth(app), base_url=BASE, authorize_url=authorize, access_token_url=token, **named, **own)
if PROVIDER == "weibo":
    remote.pre_request = apps.change_weibo_header


def seen(tokens):
    get = lambda path, **query: remote.get(path, query, token=(tokens["access_token"], ""))
    if PROVIDER == "qq":
        # JSON that is labelled as HTML: the library leaves it to the application.
        read = lambda answer: json.loads(re.search("{.*}", answer.raw_data.decode(), re.DOTALL)[0])
        known = {"access_token": tokens["access_token"], "oauth_consumer_key": remote.consumer_key}
        openid = read(get("/oauth2.0/me", **known))["openid"]
        return openid, read(get("/user/get_user_info", openid=openid, **known))["nickname"]
    if PROVIDER == "weibo":
        return tokens["uid"], get("/2/users/show.json", uid=tokens["uid"]).data["screen_name"]
    user = get("/user").data
    return str(user["id"]), user["login"]


app.route("/login")(lambda: remote.authorize(callback=REDIRECT_URI, state="of this browser"))


@app.route("/callback")
def callback():
    try:
        tokens = remote.authorized_response()
    except OAuthException as error:
        return {"error": error.data}
    if not tokens or "access_token" not in tokens:
        return {"error": tokens or request.args}
    return dict(zip(["subject", "nickname"], seen(tokens)))


with app.test_client() as browser:
    print(browser.get(urljoin(REDIRECT_URI, "/login")).location, flush=True)
    print(browser.get(input()).text)
