"""requests-oauthlib's MobileApplicationClient: the token comes in the redirect's fragment (RFC 6749 §4.2)."""

import json
import os

import requests
from oauthlib.oauth2 import MobileApplicationClient, OAuth2Error
from requests_oauthlib import OAuth2Session

from person import ISSUER, signs_in

server = requests.get(f"{ISSUER}/.well-known/oauth-authorization-server").json()
session = OAuth2Session(
    client=MobileApplicationClient(os.environ["CLIENT_ID"]),
    scope=["openid", "profile"],
    redirect_uri=os.environ["REDIRECT_URI"],
)
address, state = session.authorization_url(server["authorization_endpoint"])
answer = signs_in(address)
assert answer.startswith(os.environ["REDIRECT_URI"] + "#"), answer
# An answer with another state is not the answer to this request, and is thrown away.
try:
    session.token_from_fragment(answer.replace(state, "of-another-request"))
    raise AssertionError("the state is not looked at")
except ValueError as error:
    assert "state" in str(error), error

try:
    session.token_from_fragment(answer)
    user = session.get(server["userinfo_endpoint"]).json()
    print(json.dumps({"sub": user["sub"], "name": user["name"]}))
except OAuth2Error as error:
    print(json.dumps({"error": error.error}))
