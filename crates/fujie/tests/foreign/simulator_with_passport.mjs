// A strategy of passport's as an application that signs somebody in with PROVIDER, which the simulator at BASE plays.
// Nothing of the strategy changes but the host.
//
// Says where the browser begins, reads where it came back, and says in JSON whom the library saw, or why nobody.
import { once } from "node:events";
import { createRequire, Module } from "node:module";
import { createInterface } from "node:readline";
import express from "express";

// One of them tells the console what it gets; standard output is for our two lines.
console.log = console.error;
const say = (line) => process.stdout.write(`${line}\n`);

const { BASE, LIBRARY, PROVIDER, CLIENT_ID: clientID, CLIENT_SECRET: clientSecret, REDIRECT_URI } = process.env;
const compile = Module.prototype._compile;
Module.prototype._compile = function (text, ...rest) {
  const hosts = /https:\/\/(open\.weixin\.qq|api\.weixin\.qq|graph\.qq|api\.weibo|api\.github|github)\.com/g;
  return compile.call(this, text.replace(hosts, BASE), ...rest);
};
const require = createRequire(import.meta.url);
const passport = require("passport");
const { Strategy } = require(LIBRARY);

const scope = { wechat: "snsapi_login", qq: "get_user_info" }[PROVIDER];
// The last two lines are passport-wechat's words for the first, and for a website outside of WeChat.
const options = {
  clientID, clientSecret, callbackURL: REDIRECT_URI, scope,
  appID: clientID, appSecret: clientSecret,
  client: "web",
};
passport.use("provider", new Strategy(options, (...given) => given.at(-1)(null, given[2])));

const site = express().use(passport.initialize());
const settings = { session: false, state: "of this browser" };
site.get("/login", passport.authenticate("provider", settings));
site.get("/callback", passport.authenticate("provider", settings), ({ user }, response) => {
  // One strategy for QQ gives text, and a user even when it was refused everything.
  const { id, openid, displayName, nickname, msg } = typeof user === "string" ? JSON.parse(user) : user;
  response.json({ subject: id ?? openid, nickname: displayName ?? nickname, said: msg || undefined });
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
