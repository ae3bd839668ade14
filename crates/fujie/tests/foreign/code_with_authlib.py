"""Authlib as an application: discovery, a code with PKCE, an ID token validated against the server's keys; then
refresh, introspection and revocation. The client authenticates by HTTP Basic."""

import json
import os

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

from person import ISSUER, signs_in

CLIENT_ID = os.environ["CLIENT_ID"]
server = requests.get(f"{ISSUER}/.well-known/openid-configuration").json()
assert server["issuer"] == ISSUER

# Sign in.
client = OAuth2Session(
    CLIENT_ID,
    os.environ["CLIENT_SECRET"],
    scope="openid profile offline_access",
    redirect_uri=os.environ["REDIRECT_URI"],
    code_challenge_method="S256",
    token_endpoint=server["token_endpoint"],
)
verifier, nonce = generate_token(48), generate_token(20)
address, state = client.create_authorization_url(server["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
answer = signs_in(address)
token = client.fetch_token(authorization_response=answer, state=state, code_verifier=verifier)

# Validate the ID token: signature, issuer, audience, times, nonce, at_hash.
keys = KeySet.import_key_set(requests.get(server["jwks_uri"]).json())


def validated(token, nonce):
    signed = jwt.decode(token["id_token"], keys, algorithms=server["id_token_signing_alg_values_supported"])
    expected = {name: {"essential": True, "value": value} for name, value in [("iss", ISSUER), ("aud", CLIENT_ID)]}
    known = {"client_id": CLIENT_ID, "access_token": token["access_token"], "nonce": nonce}
    claims = CodeIDToken(signed.claims, signed.header, expected, known)
    claims.validate()
    return claims


claims = validated(token, nonce)
userinfo = client.get(server["userinfo_endpoint"]).json()
assert userinfo["sub"] == claims["sub"]


def introspected(token):
    answer = client.introspect_token(server["introspection_endpoint"], token=token)
    assert answer.status_code == 200, answer.text
    return answer.json()


# Refresh.
before = token["access_token"]
token = client.refresh_token()
assert token["access_token"] != before
assert validated(token, None)["sub"] == claims["sub"]

# Introspect.
known = introspected(token["access_token"])
assert known["active"] and known["sub"] == claims["sub"] and known["client_id"] == CLIENT_ID, known
assert introspected(token["refresh_token"])["active"]

# Revoke: everything that came from this sign-in is over.
revoked = client.revoke_token(server["revocation_endpoint"], token=token["refresh_token"], token_type_hint="refresh_token")
assert revoked.status_code == 200, revoked.text
for gone in [before, token["access_token"], token["refresh_token"]]:
    assert introspected(gone) == {"active": False}
try:
    client.refresh_token()
    raise AssertionError("a revoked refresh token still works")
except OAuthError as error:
    print(json.dumps({"sub": claims["sub"], "name": userinfo["name"], "after_revocation": error.error}))
