// Auth.js (which is what NextAuth is made of) as an application that signs somebody in with PROVIDER, which the simulator
// at BASE plays. Nothing changes but where its requests go: it still expects GitHub's own name as the issuer.
//
// Says where the browser begins, reads where it came back, and says in JSON whom the library saw, or why nobody.
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Auth } from "@auth/core";
import GitHub from "@auth/core/providers/github";
import WeChat from "@auth/core/providers/wechat";

const { BASE, PROVIDER, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret, REDIRECT_URI } = process.env;
const here = (url) => String(url).replace(/^https:\/\/(open\.weixin\.qq|api\.weixin\.qq|api\.github|github)\.com/, BASE);
const send = globalThis.fetch;
globalThis.fetch = (url, options) => send(here(url), options);

let refusal;
const providers = { github: GitHub, wechat: WeChat };
const site = new URL("/auth", REDIRECT_URI).href;
const config = {
  basePath: "/auth",
  secret: "of this run",
  trustHost: true,
  providers: [providers[PROVIDER]({ clientId, clientSecret, platformType: "WebsiteApp" })],
  callbacks: {
    jwt: ({ token, account }) => ({ subject: account?.providerAccountId, ...token }),
    session: ({ token }) => ({ subject: token.subject, nickname: token.name }),
  },
  logger: { error: ({ type, cause }) => (refusal = { error: type, said: cause?.error ?? cause?.err?.message }), warn() {} },
};
const cookies = new Map();
async function open(url, form) {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  const body = form && new URLSearchParams(form);
  const answer = await Auth(new Request(url, { method: form ? "POST" : "GET", body, headers: { cookie } }), config);
  for (const line of answer.headers.getSetCookie()) cookies.set(...line.split(";")[0].split(/=(.*)/s));
  return answer;
}

const { csrfToken } = await (await open(`${site}/csrf`)).json();
const begun = await open(`${site}/signin/${PROVIDER}`, { csrfToken, callbackUrl: REDIRECT_URI });
console.log(here(begun.headers.get("location")));
const [back] = await once(createInterface({ input: process.stdin }), "line");
await open(back);
const session = await (await open(`${site}/session`)).json();
console.log(JSON.stringify(session ?? refusal));
process.exit();
