// oidc-provider as somebody else's provider, on loopback: signed client authentication, pushed requests, DPoP with and
// without nonces, the device flow, refresh, and tokens for a resource. It says one line of JSON when it is ready.
//
// The environment says what is wanted:
//   REDIRECT_URI   of the clients `keyed` and `secret`
//   CLIENT_JWK     the public key of the client `keyed`; its secret half never comes here
//   PAR            `required`, else optional
//   DPOP_NONCE     `required` of every proof, or `offered`, else there are none
//   ID_TOKEN_ALG   RS256 (as is usual), PS256, ES256 or EdDSA
//   PORT           none: any free one
//
// There is no page. The person is at GET /person:
//   ?open=URL                 a browser that follows an authorization request to its end; answers with that address
//   ?user_code=CODE[&deny=1]  types the code of a device and allows, or refuses; answers with the status
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { exportJWK, generateKeyPair } from "jose";
import Provider from "oidc-provider";

// Standard output is for the one line, whatever the library wants to say besides.
console.info = console.error;

const { REDIRECT_URI, CLIENT_JWK, PAR, DPOP_NONCE, ID_TOKEN_ALG = "RS256", PORT = "0" } = process.env;
const server = createServer();
await new Promise((listening) => server.listen(Number(PORT), "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;
const device = "urn:ietf:params:oauth:grant-type:device_code";

async function key(alg) {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, use: "sig", kid: `${alg}-1` };
}

const code = {
  redirect_uris: [REDIRECT_URI],
  response_types: ["code"],
  grant_types: ["authorization_code", "refresh_token"],
  id_token_signed_response_alg: ID_TOKEN_ALG,
};
const bound = { ...code, dpop_bound_access_tokens: true };
const provider = new Provider(issuer, {
  clients: [
    {
      ...bound,
      client_id: "keyed",
      token_endpoint_auth_method: "private_key_jwt",
      token_endpoint_auth_signing_alg: JSON.parse(CLIENT_JWK).alg,
      jwks: { keys: [JSON.parse(CLIENT_JWK)] },
    },
    { ...code, client_id: "secret", client_secret: "the-secret-of-the-client-secret" },
    {
      client_id: "device",
      token_endpoint_auth_method: "none",
      redirect_uris: [],
      response_types: [],
      grant_types: [device, "refresh_token"],
      id_token_signed_response_alg: ID_TOKEN_ALG,
    },
  ],
  jwks: { keys: await Promise.all(["RS256", "PS256", "ES256", "EdDSA"].map(key)) },
  cookies: { keys: ["loopback only"] },
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  findAccount: (_, sub) => ({
    accountId: sub,
    claims: () => ({ sub, name: "小明🌟", email: "ming@example.com", email_verified: true }),
  }),
  issueRefreshToken: (_, client) => client.grantTypeAllowed("refresh_token"),
  interactions: { url: (_, { uid }) => `/interaction/${uid}` },
  enabledJWA: {
    idTokenSigningAlgValues: ["RS256", "PS256", "ES256", "EdDSA"],
    clientAuthSigningAlgValues: ["RS256", "ES256", "EdDSA"],
    dPoPSigningAlgValues: ["ES256", "EdDSA", "RS256"],
  },
  features: {
    devInteractions: { enabled: false },
    deviceFlow: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: PAR === "required" },
    dPoP: {
      enabled: true,
      nonceSecret: ["required", "offered"].includes(DPOP_NONCE) ? randomBytes(32) : undefined,
      requireNonce: () => DPOP_NONCE === "required",
    },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, resource) => ({
        scope: "read",
        audience: resource,
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: "ES256" } },
      }),
    },
  },
});

/** Signs in and allows everything that is asked, without a page. */
async function interact(request, response) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  if (prompt.name === "login") {
    const result = { login: { accountId: params.login_hint ?? "xiaoming" } };
    return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  }
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope((prompt.details.missingOIDCScope ?? []).join(" "));
  grant.addOIDCClaims(prompt.details.missingOIDCClaims ?? []);
  for (const [resource, scopes] of Object.entries(prompt.details.missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(" "));
  }
  const result = { consent: { grantId: await grant.save() } };
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

/** A browser without eyes: keeps cookies and follows redirects within the provider. */
function browser() {
  const cookies = new Map();
  return async function open(url, form) {
    let [page, body] = [undefined, form && new URLSearchParams(form)];
    for (let step = 0; step < 20 && url.startsWith(`${issuer}/`); step += 1) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      page = await fetch(url, { method: body ? "POST" : "GET", body, headers: { cookie }, redirect: "manual" });
      for (const line of page.headers.getSetCookie()) cookies.set(...line.split(";")[0].split(/=(.*)/s));
      if (!page.headers.has("location")) break;
      [url, body] = [new URL(page.headers.get("location"), url).href, undefined];
    }
    return { url, page };
  };
}

/** What the person does who is asked for by the query. */
async function person(query) {
  const open = browser();
  if (query.has("open")) {
    const { url, page } = await open(query.get("open"));
    return url.startsWith(`${issuer}/`) ? `${page.status} ${await page.text()}` : url;
  }
  const { page } = await open(`${issuer}/device`);
  const [, xsrf] = (await page.text()).match(/name="xsrf" value="(\w+)"/);
  const decision = query.has("deny") ? { abort: "yes" } : { confirm: "yes" };
  const end = await open(`${issuer}/device`, { xsrf, user_code: query.get("user_code"), ...decision });
  return String(end.page.status);
}

const handle = provider.callback();
server.on("request", async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, issuer);
  try {
    if (pathname.startsWith("/interaction/")) await interact(request, response);
    else if (pathname === "/person") response.end(await person(searchParams));
    else await handle(request, response);
  } catch (error) {
    console.error(error);
    response.writeHead(500).end(String(error));
  }
});
console.log(JSON.stringify({ issuer }));
