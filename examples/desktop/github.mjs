// Signs a person in with GitHub: GITHUB_CLIENT_ID=… GITHUB_CLIENT_SECRET=… node github.mjs
// Fujie keeps the token, so the browser opens only when there is none.
import { spawnSync } from "node:child_process";

const fujie = (...words) => spawnSync("fujie", words, { stdio: ["inherit", "pipe", "inherit"], encoding: "utf8" });

let done = fujie("token", "github");
if (done.status === 4) done = fujie("login", "github", "--output", "token"); // Nobody has signed in yet, or no longer.
if (done.error) throw done.error;
if (done.status !== 0) process.exit(done.status ?? 1); // Fujie has said why.

const api = process.env.GITHUB_AT ?? "https://api.github.com";
const user = await fetch(`${api}/user`, { headers: { Authorization: `Bearer ${done.stdout.trim()}` } });
if (!user.ok) throw new Error(`GitHub answered ${user.status}`);
console.log("Signed in as", (await user.json()).login);
