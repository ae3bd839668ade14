// The service worker: shows what a push service brings, and opens the topic when it is tapped.
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  let said = {};
  try {
    said = event.data.json();
  } catch {
    // A browser that is told nothing readable must show something all the same.
  }
  const topic = /^[a-z0-9][a-z0-9-]*$/.test(said.topic) ? said.topic : null;
  event.waitUntil(
    self.registration.showNotification(String(said.title ?? "Fujie"), {
      body: String(said.body ?? ""),
      icon: "/assets/mark.svg",
      // The same event twice is one notification.
      tag: `${topic}-${said.id}`,
      data: { path: topic ? `/topics/${topic}` : "/topics" },
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { path } = event.notification.data;
  const show = async () => {
    const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
    const open = windows.find((own) => new URL(own.url).pathname === path);
    return open ? open.focus() : self.clients.openWindow(path);
  };
  event.waitUntil(show());
});
