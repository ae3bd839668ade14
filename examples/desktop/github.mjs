// Signs a person in with GitHub: GITHUB_CLIENT_ID=… GITHUB_CLIENT_SECRET=… node github.mjs
import { execFileSync, spawn } from "node:child_process";
const { GITHUB_AT: site = "https://github.com", GITHUB_AT: api = "https://api.github.com", PORT = "8000", BROWSER = "xdg-open" } = process.env;
const [state, verifier] = [crypto.randomUUID(), crypto.randomUUID() + crypto.randomUUID()];
const challenge = Buffer.from(await crypto.subtle.digest("SHA-256", Buffer.from(verifier))).toString("base64url");
const app = `client_id=${process.env.GITHUB_CLIENT_ID}&redirect_uri=http://127.0.0.1:${PORT}/getcode`;
spawn(BROWSER, [`${site}/login/oauth/authorize?${app}&state=${state}&code_challenge=${challenge}&code_challenge_method=S256`]); // slower by far than the next line
const code = `${execFileSync("fujie-receive", ["--port", PORT, "--path", "/getcode", "--state", state])}`.trim();
const body = new URLSearchParams(`${app}&client_secret=${process.env.GITHUB_CLIENT_SECRET}&code_verifier=${verifier}&code=${code}`);
const token = await (await fetch(`${site}/login/oauth/access_token`, { method: "POST", body, headers: { Accept: "application/json" } })).json();
console.log("Signed in as", (await (await fetch(`${api}/user`, { headers: { Authorization: `Bearer ${token.access_token}` } })).json()).name);
