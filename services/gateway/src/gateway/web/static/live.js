// Live updates of an open page: one stream of what changed, and an event `live` on the elements that show it.
// An element says what it shows with data-live="person:ID deal:ID"; htmx fetches it anew with hx-trigger="live",
// what lies inside comes with it.
(() => {
  const SETTLE = 100, REST = 1000; // ms: changes that come together are fetched once, and no more often than each second
  const FIRST_PAUSE = 1000, LONGEST_PAUSE = 60000;
  let stream = null, listening = new Set(), pause = FIRST_PAUSE, retry = 0, settle = 0, gather = 0, rested = 0;
  let since = document.querySelector('meta[name="rendered"]')?.content || "";
  const changed = new Set();

  const topicsOf = (element) => element.dataset.live.split(/\s+/).filter(Boolean);
  const wanted = () => new Set([...document.querySelectorAll("[data-live]")].flatMap(topicsOf));

  const refresh = () => {
    settle = 0;
    rested = Date.now() + REST;
    const everything = changed.has("*");
    const concerned = [...document.querySelectorAll("[data-live]")].filter(
      (element) => everything || topicsOf(element).some((topic) => changed.has(topic)));
    changed.clear();
    const outer = concerned.filter((element) => !concerned.some((other) => other !== element && other.contains(element)));
    for (const element of outer) element.dispatchEvent(new CustomEvent("live"));
  };
  const hear = (event) => {
    since = event.lastEventId || since;
    pause = FIRST_PAUSE;
    for (const topic of JSON.parse(event.data)) changed.add(topic);
    if (changed.size && !settle) settle = setTimeout(refresh, Math.max(SETTLE, rested - Date.now()));
  };

  const close = () => {
    clearTimeout(retry);
    if (stream) stream.close();
    stream = null;
    listening = new Set();
  };
  const open = () => {
    close();
    const topics = wanted();
    if (!topics.size || document.hidden) return;
    listening = topics;
    stream = new EventSource(`/live?topics=${[...topics].join(",")}&since=${since}`);
    for (const name of ["begun", "changed", "beat"]) stream.addEventListener(name, hear);
    stream.onerror = () => {
      close();
      retry = setTimeout(open, pause * (0.75 + Math.random() / 2));
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    };
  };
  const regather = () => {
    clearTimeout(gather);
    gather = setTimeout(() => {
      if ([...wanted()].some((topic) => !listening.has(topic))) open();
    }, SETTLE);
  };

  document.addEventListener("htmx:after:swap", regather);
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => event.persisted && open());
  open();
})();
