"""Flask-OAuthlib as an application that signs somebody in with PROVIDER, which the simulator at BASE plays. It has
factories for GitHub and Weibo; QQ is told it by hand. The addresses are arguments in any case.

Says where the browser begins, reads where it came back, and says in JSON whom the library saw, or why nobody."""

import json
import os
import re

from flask import Flask, request
from flask_oauthlib.client import OAuth
from flask_oauthlib.contrib import apps

PROVIDER, BASE, REDIRECT_URI = (os.environ[name] for name in ["PROVIDER", "BASE", "REDIRECT_URI"])
app = Flask(__name__)
app.secret_key = "loopback only"
own = {"consumer_key": os.environ["CLIENT_ID"], "consumer_secret": os.environ["CLIENT_SECRET"]}


def remote_app(folder, create, **named):
    addresses = {"authorize_url": f"{folder}/authorize", "access_token_url": f"{folder}/{named.pop('token')}"}
    return create(OAuth(app), base_url=BASE, **addresses, **named, **own)


if PROVIDER == "qq":
    known = {"name": "qq", "request_token_params": {"scope": "get_user_info"}, "access_token_method": "GET"}
    remote = remote_app("/oauth2.0", OAuth.remote_app, token="token", **known)
elif PROVIDER == "weibo":
    remote = remote_app("/oauth2", apps.weibo.create, token="access_token")
    remote.pre_request = apps.change_weibo_header
else:
    remote = remote_app("/login/oauth", apps.github.create, token="access_token")


def seen(tokens):
    get = lambda path, **query: remote.get(path, query, token=(tokens["access_token"], ""))
    if PROVIDER == "qq":
        # JSON labelled as text/html: the library leaves it to the application.
        read = lambda answer: json.loads(re.search("{.*}", answer.raw_data.decode(), re.DOTALL)[0])
        openid = read(get("/oauth2.0/me", access_token=tokens["access_token"]))["openid"]
        query = {"access_token": tokens["access_token"], "oauth_consumer_key": own["consumer_key"], "openid": openid}
        return openid, read(get("/user/get_user_info", **query))["nickname"]
    if PROVIDER == "weibo":
        return tokens["uid"], get("/2/users/show.json", uid=tokens["uid"]).data["screen_name"]
    user = get("/user").data
    return str(user["id"]), user["login"]


@app.route("/login")
def login():
    return remote.authorize(callback=REDIRECT_URI, state="of this session")


@app.route("/callback")
def callback():
    tokens = remote.authorized_response()
    if not tokens or "access_token" not in tokens:
        return {"error": tokens or request.args}
    subject, nickname = seen(tokens)
    return {"subject": subject, "nickname": nickname}


with app.test_client() as browser:
    print(browser.get("/login").location, flush=True)
    print(browser.get(input()).text)
