// A person with a browser: opens an address of the server, signs in by password, allows what is asked.
const { ISSUER, PASSWORD } = process.env;

/** Where the browser ends: the first address that is not the server's, as the application receives it. */
export async function signsIn(address) {
  const cookies = new Map();
  const ask = async (url, form) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const body = form && new URLSearchParams(form);
    const page = await fetch(url, { method: form ? "POST" : "GET", body, headers: { cookie }, redirect: "manual" });
    for (const line of page.headers.getSetCookie()) cookies.set(...line.split(";")[0].split(/=(.*)/s));
    return page;
  };
  let page = await ask(address);
  for (let step = 0; step < 10; step += 1) {
    if (page.headers.has("location")) {
      const next = new URL(page.headers.get("location"), ISSUER).href;
      if (!next.startsWith(`${ISSUER}/`)) return next;
      page = await ask(next);
      continue;
    }
    const text = await page.text();
    const isConsent = text.includes('action="/consent"');
    const press = isConsent ? { decision: "allow" } : { username: "alice", password: PASSWORD };
    const hidden = [...text.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]);
    page = await ask(ISSUER + (isConsent ? "/consent" : "/sign-in"), { ...Object.fromEntries(hidden), ...press });
  }
  throw new Error(`no way out of ${page.url}`);
}
