// Signs a person in with GitHub: GITHUB_CLIENT_ID=… GITHUB_CLIENT_SECRET=… node github.mjs
// On macOS with BROWSER=open.
import { spawn } from "node:child_process";
const { GITHUB_AT: site = "https://github.com", GITHUB_AT: api = "https://api.github.com" } = process.env;
const { GITHUB_CLIENT_ID: client_id, GITHUB_CLIENT_SECRET: client_secret, BROWSER = "xdg-open" } = process.env;
const [state, code_verifier] = [crypto.randomUUID(), crypto.randomUUID() + crypto.randomUUID()];
const digest = await crypto.subtle.digest("SHA-256", Buffer.from(code_verifier));
const pkce = { code_challenge: Buffer.from(digest).toString("base64url"), code_challenge_method: "S256" };

// It is there when it says so: "fujie-receive: Waiting at http://127.0.0.1:41873/callback for 300 s. …"
const receiver = spawn("fujie-receive", ["--lang", "en", "--state", state]);
const said = await new Promise((seen) => receiver.stderr.once("data", seen).pipe(process.stderr));
const redirect_uri = `${said}`.split(" ")[3];
const url = `${site}/login/oauth/authorize?${new URLSearchParams({ client_id, redirect_uri, state, ...pkce })}`;
const show = () => console.error(`The browser did not open. Open this address yourself: ${url}`);
spawn(BROWSER, [url], { stdio: "ignore" }).on("error", show).on("exit", (code) => code && show()).unref();
const code = (await receiver.stdout.toArray()).join("").trim();

const body = new URLSearchParams({ client_id, client_secret, redirect_uri, code_verifier, code });
const answer = await fetch(`${site}/login/oauth/access_token`, { method: "POST", body });
const token = new URLSearchParams(await answer.text()).get("access_token");
const user = await fetch(`${api}/user`, { headers: { Authorization: `Bearer ${token}` } });
if (!token || !user.ok) throw new Error("GitHub did not sign in. Are the client id and its secret right?");
console.log("Signed in as", (await user.json()).login);
