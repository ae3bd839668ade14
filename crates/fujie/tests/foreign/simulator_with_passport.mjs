// A strategy of passport's as an application that signs somebody in with PROVIDER, which the simulator at BASE plays.
// The addresses are options.
//
// Says where the browser begins, reads where it came back, and says in JSON whom the library saw, or why nobody.
import { once } from "node:events";
import { createInterface } from "node:readline";
import express from "express";
import passport from "passport";
import github from "passport-github2";
import qq from "passport-qq2015-fix";
import weibo from "passport-weibo";
import weixin from "passport-weixin";

// One of them tells the console what it gets; standard output is for our two lines.
console.log = console.error;
const say = (line) => process.stdout.write(`${line}\n`);

const { PROVIDER, BASE, CLIENT_ID: clientID, CLIENT_SECRET: clientSecret, REDIRECT_URI: callbackURL } = process.env;
const app = { clientID, clientSecret, callbackURL };
const strategies = {
  wechat: [weixin, "connect/qrconnect", "sns/oauth2/access_token", { userProfileURL: `${BASE}/sns/userinfo` }],
  qq: [qq, "oauth2.0/authorize", "oauth2.0/token", { openIdURL: `${BASE}/oauth2.0/me`, userInfoURL: `${BASE}/user/get_user_info` }],
  weibo: [
    weibo,
    "oauth2/authorize",
    "oauth2/access_token",
    { getuidAPI: `${BASE}/2/account/get_uid.json`, getProfileAPI: `${BASE}/2/users/show.json` },
  ],
  github: [github, "login/oauth/authorize", "login/oauth/access_token", { userProfileURL: `${BASE}/user` }],
};
const [{ Strategy }, authorize, token, addresses] = strategies[PROVIDER];
const options = { ...app, authorizationURL: `${BASE}/${authorize}`, tokenURL: `${BASE}/${token}`, ...addresses };
passport.use("provider", new Strategy(options, (_access, _refresh, profile, done) => done(null, profile)));

const site = express();
const authenticate = (settings) => passport.authenticate("provider", { session: false, ...settings });
site.get("/login", (request, response, next) => authenticate({ state: "of this browser" })(request, response, next));
site.get("/callback", authenticate(), ({ user }, response) => {
  // The strategy for QQ gives text.
  const profile = typeof user === "string" ? JSON.parse(user) : user;
  response.json({ subject: profile.id, nickname: profile.displayName ?? profile.nickname });
});
site.use((error, _request, response, _next) => response.json({ error: error.name, said: String(error.oauthError?.data ?? error.message) }));
const server = site.listen(0, "127.0.0.1");
await once(server, "listening");
const origin = `http://127.0.0.1:${server.address().port}`;
say((await fetch(`${origin}/login`, { redirect: "manual" })).headers.get("location"));
const lines = createInterface({ input: process.stdin });
const [back] = await once(lines, "line");
const answer = await fetch(`${origin}/callback${new URL(back).search}`, { redirect: "manual" });
say(answer.status === 401 ? JSON.stringify({ error: await answer.text() }) : answer.ok ? await answer.text() : answer.status);
server.close();
lines.close();
