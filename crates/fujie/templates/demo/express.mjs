import express from "express";
import * as oidc from "openid-client";
const fujie = await oidc.discovery(new URL("ISSUER"), "CLIENT_ID",
  "CLIENT_SECRET", undefined, { execute: [oidc.allowInsecureRequests] });
oidc.enableNonRepudiationChecks(fujie); // Verifies signatures of ID tokens.
const safe = (text) => String(text).replace(/[<>&"']/g, (c) => `&#${c.charCodeAt()};`);
const app = express();
app.get("/", (_, res) => res.send('<form action="/login"><button>使用微信登录 / Sign in</button></form>'));
app.get("/login", async (_, res) => {
  const state = oidc.randomState(), verifier = oidc.randomPKCECodeVerifier();
  res.cookie("express_login", `${state}.${verifier}`, { httpOnly: true, sameSite: "lax" });
  const code_challenge = await oidc.calculatePKCECodeChallenge(verifier);
  res.redirect(oidc.buildAuthorizationUrl(fujie, { redirect_uri: "REDIRECT_URI",
    scope: "openid profile", state, code_challenge, code_challenge_method: "S256" }).href);
});
app.get("/callback", async (req, res) => {
  const login = /express_login=([\w-]+)\.([\w-]+)/.exec(req.headers.cookie) ?? ["", "none", "none"];
  const checks = { expectedState: login[1], pkceCodeVerifier: login[2], idTokenExpected: true };
  const tokens = await oidc.authorizationCodeGrant(fujie, new URL(req.url, "ORIGIN"), checks);
  const user = await oidc.fetchUserInfo(fujie, tokens.access_token, tokens.claims().sub);
  res.clearCookie("express_login").send(`<h1>${safe(user.nickname)}</h1><p>sub: ${safe(user.sub)}</p>`);
});
app.use((error, _req, res, _next) =>
  res.status(400).send(`<p>${safe(error.error ?? error.message)}</p><a href="/">再试一次 / Try again</a>`));
app.listen(PORT, "127.0.0.1");
