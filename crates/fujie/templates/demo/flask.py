import secrets
from authlib.integrations.flask_client import OAuth, OAuthError
from flask import Flask
from markupsafe import escape
app = Flask(__name__)
app.config.update(SECRET_KEY=secrets.token_bytes(), SESSION_COOKIE_NAME="flask_session")
fujie = OAuth(app).register(
    "fujie", client_id="CLIENT_ID",
    client_secret="CLIENT_SECRET",
    server_metadata_url="METADATA",
    client_kwargs={"scope": "openid profile", "code_challenge_method": "S256"})
@app.get("/")
def home():
    return '<form action="/login"><button>使用微信登录 / Sign in</button></form>'
@app.get("/login")
def login():
    return fujie.authorize_redirect("REDIRECT_URI")
@app.get("/callback")
def callback():
    user = fujie.authorize_access_token()["userinfo"]
    return f"<h1>{escape(user['nickname'])}</h1><p>sub: {escape(user['sub'])}</p>"
@app.errorhandler(OAuthError)
def refused(error):
    return f"<p>{escape(error.error)}</p><a href='/'>再试一次 / Try again</a>", 400
app.run(host="127.0.0.1", port=PORT)
