// A topic's page while it is open: new events as they happen, and notifications for this device.
// The stream only says that there is something new; what people read comes from /cards, in the
// language of the page, and is put in as text.
// All of it in a block: other scripts of the page have names of their own.
{
  const list = document.getElementById("events");
  const status = document.getElementById("status");
  const KEPT = 200;
  const TOLD = 3;

  const say = (word, look) => {
    const text = status.dataset[word];
    if (status.textContent !== text) {
      status.textContent = text;
    }
    status.className = `status hint ${look}`;
  };

  // What came in, for who does not see it; the list itself would be read from its beginning.
  const tell = (cards) => {
    const news = document.getElementById("news");
    const titles = cards.slice(0, TOLD).reverse().map(({ title }) => title);
    news.textContent = [news.dataset.new, ...titles].join(" ");
  };

  const element = (name, text, attributes = {}) => {
    const made = document.createElement(name);
    if (text !== undefined) {
      made.textContent = text;
    }
    for (const [key, value] of Object.entries(attributes)) {
      made.setAttribute(key, value);
    }
    return made;
  };

  const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });

  const card = ({ id, title, lines, link, from, at_milliseconds: at }) => {
    const made = element("li", undefined, { "data-id": id, class: "fresh" });
    const heading = element("h2");
    const isLink = link && /^https?:\/\//.test(link.url);
    heading.append(
      isLink
        ? element("a", title, { class: "long", href: link.url, rel: "noopener noreferrer" })
        : element("span", title, { class: "long" }),
    );
    const foot = element("p", undefined, { class: "hint" });
    foot.append(element("bdi", from), " ", element("time", format.format(at), { datetime: new Date(at).toISOString() }));
    if (isLink) {
      foot.append(" ", element("span", link.host));
    }
    made.append(heading, ...lines.map((line) => element("p", line, { class: "long" })), foot);
    return made;
  };

  const live = () => {
    const { topic } = list.dataset;
    let newest = Number(list.dataset.newest);
    let asking = false;
    let again = false;

    const show = ({ cards, has_gap: hasGap }) => {
      if (hasGap) {
        list.replaceChildren();
      }
      const fresh = cards.filter(({ id }) => id > newest);
      list.prepend(...fresh.map(card));
      newest = Math.max(newest, ...fresh.map(({ id }) => id));
      while (list.children.length > KEPT) {
        list.lastElementChild.remove();
      }
      if (fresh.length > 0) {
        document.getElementById("empty")?.remove();
        tell(fresh);
      }
      const last = list.lastElementChild;
      const older = document.getElementById("older");
      if (last && (hasGap || !older.hidden || list.children.length === KEPT)) {
        older.href = `/topics/${topic}?before=${last.dataset.id}`;
        older.hidden = false;
      }
    };

    const ask = async () => {
      if (asking) {
        again = true;
        return;
      }
      asking = true;
      try {
        do {
          again = false;
          const answer = await fetch(`/topics/${topic}/cards?after=${newest}`, { credentials: "same-origin" });
          if (!answer.ok) {
            throw new Error(String(answer.status));
          }
          show(await answer.json());
        } while (again);
      } catch {
        // The next event, or the next connection, asks again.
      } finally {
        asking = false;
      }
    };

    const stream = new EventSource(`/topics/${topic}/events`);
    stream.addEventListener("open", () => {
      say("live", "on");
      ask();
    });
    stream.addEventListener("message", ask);
    stream.addEventListener("error", () => {
      const isOver = stream.readyState === EventSource.CLOSED;
      say(isOver ? "over" : "again", "off");
    });
  };

  const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

  const digest = async (text) => {
    const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
  };

  const subscribe = async (key) => {
    const registration = await navigator.serviceWorker.register("/push.js");
    await navigator.serviceWorker.ready;
    const wanted = bytes(key);
    const standing = await registration.pushManager.getSubscription();
    const own = standing && new Uint8Array(standing.options.applicationServerKey ?? []);
    if (standing && own.length === wanted.length && own.every((byte, at) => byte === wanted[at])) {
      return standing;
    }
    // It belongs to another server's key: this one could not use it.
    await standing?.unsubscribe();
    return registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: wanted });
  };

  const offer = async (place) => {
    const form = document.getElementById("notify-on");
    const says = document.getElementById("notify-says");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      says.textContent = "";
      if ((await Notification.requestPermission()) !== "granted") {
        says.textContent = place.dataset.denied;
        return;
      }
      try {
        form.elements.subscription.value = JSON.stringify(await subscribe(place.dataset.key));
        HTMLFormElement.prototype.submit.call(form);
      } catch {
        says.textContent = place.dataset.failed;
      }
    });
    const registration = await navigator.serviceWorker.getRegistration("/");
    const standing = await registration?.pushManager.getSubscription();
    const address = standing && (await digest(standing.endpoint));
    const known = address && place.querySelector(`form[data-address="${address}"]`);
    form.hidden = Boolean(known);
    if (known) {
      known.hidden = false;
    }
    place.hidden = false;
  };

  if ("live" in list.dataset) {
    live();
  }

  const place = document.getElementById("notify");
  if (place && "serviceWorker" in navigator && "PushManager" in window && "Notification" in window) {
    offer(place);
  } else if (place && navigator.standalone === false) {
    // Safari on a phone: a page on the home screen may notify, one in a tab may not.
    document.getElementById("notify-home").hidden = false;
  }

  // A date and time from a form has no zone: the browser knows it.
  const notice = document.getElementById("notice");
  notice?.addEventListener("submit", () => {
    const at = notice.elements.at.value;
    notice.elements.offset.value = at ? String(-new Date(at).getTimezoneOffset()) : "";
  });
}
