// A strategy of passport's as an application that signs somebody in with PROVIDER, which the simulator at BASE plays.
// The addresses are options.
//
// Says where the browser begins, reads where it came back, and says in JSON whom the library saw, or why nobody.
import { once } from "node:events";
import { createInterface } from "node:readline";
import express from "express";
import passport from "passport";

// One of them tells the console what it gets; standard output is for our two lines.
console.log = console.error;
const say = (line) => process.stdout.write(`${line}\n`);

const { PROVIDER, BASE, CLIENT_ID: clientID, CLIENT_SECRET: clientSecret, REDIRECT_URI: callbackURL } = process.env;
const strategies = {
  wechat: {
    name: "passport-weixin",
    authorizationURL: "/connect/qrconnect", tokenURL: "/sns/oauth2/access_token", userProfileURL: "/sns/userinfo",
  },
  qq: {
    name: "passport-qq2015-fix", authorizationURL: "/oauth2.0/authorize", tokenURL: "/oauth2.0/token",
    openIdURL: "/oauth2.0/me", userInfoURL: "/user/get_user_info",
  },
  weibo: {
    name: "passport-weibo", authorizationURL: "/oauth2/authorize", tokenURL: "/oauth2/access_token",
    getuidAPI: "/2/account/get_uid.json", getProfileAPI: "/2/users/show.json",
  },
  github: {
    name: "passport-github2",
    authorizationURL: "/login/oauth/authorize", tokenURL: "/login/oauth/access_token", userProfileURL: "/user",
  },
};
const { name, ...paths } = strategies[PROVIDER];
const addresses = Object.fromEntries(Object.entries(paths).map(([option, path]) => [option, BASE + path]));
const { Strategy } = (await import(name)).default;
const options = { clientID, clientSecret, callbackURL, ...addresses };
passport.use("provider", new Strategy(options, (_access, _refresh, profile, done) => done(null, profile)));

const site = express().use(passport.initialize());
const settings = { session: false, state: "of this browser" };
site.get("/login", passport.authenticate("provider", settings));
site.get("/callback", passport.authenticate("provider", settings), ({ user }, response) => {
  // The strategy for QQ gives text, and a user even when it was refused everything.
  const { id, displayName, nickname, msg } = typeof user === "string" ? JSON.parse(user) : user;
  response.json({ subject: id, nickname: displayName ?? nickname, said: msg || undefined });
});
site.use((error, _request, response, _next) => {
  response.json({ error: error.name, said: error.oauthError?.data ?? error.message });
});
const server = site.listen(0, "127.0.0.1");
await once(server, "listening");
const open = (path) => fetch(`http://127.0.0.1:${server.address().port}${path}`, { redirect: "manual" });
say((await open("/login")).headers.get("location"));
const [back] = await once(createInterface({ input: process.stdin }), "line");
const answer = await open(`/callback${new URL(back).search}`);
say(answer.ok ? await answer.text() : JSON.stringify({ status: answer.status }));
process.exit();
