// oidc-provider as somebody else's OpenID provider, on a free port of loopback, with its own pages: any name with any
// password signs in. Says its issuer in one line when it is ready.
//
// Its clients are the ways in which we can prove who we are: `basic`, `post`, `none`, `key` (signed assertions),
// `machine` (for itself alone) and `device`; and one for each algorithm of ID tokens.
//
// The environment says what is wanted:
//   REDIRECT_URI, CLIENT_SECRET
//   CLIENT_JWK     the public key of the client `key`; its secret half never comes here
//   STRICT         `yes`: requests must be pushed, and proofs must carry a nonce
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { exportJWK, generateKeyPair } from "jose";
import Provider from "oidc-provider";

// Standard output is for the one line, whatever the library wants to say besides.
console.info = console.warn = console.error;

const { REDIRECT_URI, CLIENT_SECRET: client_secret, CLIENT_JWK, STRICT } = process.env;
const isStrict = STRICT === "yes";
const algorithms = ["RS256", "PS256", "ES256", "EdDSA"];
const server = createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

async function key(alg) {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, use: "sig", kid: alg };
}

const by = (token_endpoint_auth_method) => ({ token_endpoint_auth_method });
const code = {
  redirect_uris: [REDIRECT_URI],
  response_types: ["code"],
  grant_types: ["authorization_code", "refresh_token"],
};
const pageless = { redirect_uris: [], response_types: [] };
const provider = new Provider(issuer, {
  clients: [
    { ...code, ...by("client_secret_basic"), client_id: "basic", client_secret },
    { ...code, ...by("client_secret_post"), client_id: "post", client_secret },
    { ...code, ...by("none"), client_id: "none" },
    {
      ...code,
      ...by("private_key_jwt"),
      client_id: "key",
      token_endpoint_auth_signing_alg: JSON.parse(CLIENT_JWK).alg,
      jwks: { keys: [JSON.parse(CLIENT_JWK)] },
    },
    { ...pageless, client_id: "machine", client_secret, grant_types: ["client_credentials"] },
    {
      ...pageless,
      ...by("none"),
      client_id: "device",
      grant_types: ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
    },
    ...algorithms.map((alg) => ({ ...code, client_id: alg, client_secret, id_token_signed_response_alg: alg })),
  ],
  jwks: { keys: await Promise.all(algorithms.map(key)) },
  cookies: { keys: ["loopback only"] },
  scopes: ["openid", "offline_access", "read"],
  claims: { openid: ["sub"], profile: ["name"] },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, name: `${sub} 🌟` }) }),
  issueRefreshToken: (_, client) => client.grantTypeAllowed("refresh_token"),
  enabledJWA: {
    idTokenSigningAlgValues: algorithms,
    clientAuthSigningAlgValues: ["RS256", "ES256", "EdDSA"],
    dPoPSigningAlgValues: ["ES256"],
  },
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    revocation: { enabled: true },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: isStrict },
    dPoP: { enabled: true, nonceSecret: isStrict ? randomBytes(32) : undefined, requireNonce: () => isStrict },
  },
});
server.on("request", provider.callback());
console.log(issuer);
