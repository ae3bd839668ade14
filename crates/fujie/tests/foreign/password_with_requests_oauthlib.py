"""requests-oauthlib's LegacyApplicationClient: the application takes name and password itself (RFC 6749 §4.3)."""

import json
import os

import requests
from oauthlib.oauth2 import LegacyApplicationClient, OAuth2Error
from requests_oauthlib import OAuth2Session

ISSUER = os.environ["ISSUER"]
server = requests.get(f"{ISSUER}/.well-known/oauth-authorization-server").json()
session = OAuth2Session(client=LegacyApplicationClient(os.environ["CLIENT_ID"], scope="openid profile"))
try:
    session.fetch_token(
        server["token_endpoint"],
        username="alice",
        password=os.environ["PASSWORD"],
        client_secret=os.environ["CLIENT_SECRET"],
    )
    user = session.get(server["userinfo_endpoint"]).json()
    print(json.dumps({"sub": user["sub"], "name": user["name"]}))
except OAuth2Error as error:
    print(json.dumps({"error": error.error, "status": error.status_code}))
