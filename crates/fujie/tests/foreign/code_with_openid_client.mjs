// openid-client as an application: discovery, a code with PKCE, an ID token validated against the server's keys; then
// refresh, introspection, revocation, and a token for the application itself. The secret is sent in the form.
import assert from "node:assert/strict";
import * as oidc from "openid-client";
import { signsIn } from "./person.mjs";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI } = process.env;
// Plain http is for loopback only. The other extension verifies signatures of ID tokens even though they come from
// the token endpoint itself.
const execute = [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks];
const fujie = await oidc.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET, undefined, { execute });

// Sign in.
const [verifier, state, nonce] = [oidc.randomPKCECodeVerifier(), oidc.randomState(), oidc.randomNonce()];
const address = oidc.buildAuthorizationUrl(fujie, {
  redirect_uri: REDIRECT_URI,
  scope: "openid profile offline_access",
  code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
});
const answer = new URL(await signsIn(address.href));
const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
const tokens = await oidc.authorizationCodeGrant(fujie, answer, checks);
const { sub } = tokens.claims();
const user = await oidc.fetchUserInfo(fujie, tokens.access_token, sub);

// Refresh.
const fresh = await oidc.refreshTokenGrant(fujie, tokens.refresh_token);
assert.notEqual(fresh.access_token, tokens.access_token);
assert.equal(fresh.claims().sub, sub);
const refreshToken = fresh.refresh_token ?? tokens.refresh_token;

// Introspect.
const known = await oidc.tokenIntrospection(fujie, fresh.access_token);
assert.deepEqual([known.active, known.sub, known.client_id], [true, sub, CLIENT_ID]);
assert.equal((await oidc.tokenIntrospection(fujie, refreshToken)).active, true);

// Revoke: everything that came from this sign-in is over.
await oidc.tokenRevocation(fujie, refreshToken, { token_type_hint: "refresh_token" });
for (const gone of [tokens.access_token, fresh.access_token, refreshToken]) {
  assert.deepEqual(await oidc.tokenIntrospection(fujie, gone), { active: false });
}
const after = await oidc.refreshTokenGrant(fujie, refreshToken).then(() => "refreshed", (error) => error.error);

// The application as itself, at an API.
const own = await oidc.clientCredentialsGrant(fujie, { scope: "read_contacts" });
const ownKnown = await oidc.tokenIntrospection(fujie, own.access_token);
assert.deepEqual([ownKnown.active, ownKnown.scope], [true, "read_contacts"]);
assert.equal(own.refresh_token, undefined);

console.log(JSON.stringify({ sub, name: user.name, after_revocation: after }));
