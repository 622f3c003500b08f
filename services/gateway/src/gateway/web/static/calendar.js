// The calendar: what the server lists is drawn by EventCalendar; a drag moves, a click opens, an empty place plans.
(() => {
  const box = document.getElementById("calendar");
  if (!box) return;
  const says = JSON.parse(box.dataset.says);
  const narrow = innerWidth < 600;
  const views = narrow
    ? { day: "timeGridDay", week: "listWeek", month: "listMonth" }
    : { day: "timeGridDay", week: "timeGridWeek", month: "dayGridMonth" };
  let putBack = null; // undoes the drag under way when the server refuses it

  const two = (number) => String(number).padStart(2, "0");
  const dayOf = (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const timeOf = (date) => `${two(date.getHours())}:${two(date.getMinutes())}`;

  const load = async ({ start, end }) => {
    const days = Math.round((end - start) / 86400000);
    const last = days > 42 ? new Date(start.getFullYear(), start.getMonth(), start.getDate() + 42) : end;
    const query = new URLSearchParams({ start: dayOf(start), end: dayOf(last), who: box.dataset.who });
    const problem = document.getElementById("calendar-problem");
    try {
      const answer = await fetch(`/calendar/events?${query}`, { headers: { Accept: "application/json", "HX-Request": "true" } });
      if (!answer.ok || !(answer.headers.get("Content-Type") || "").includes("json")) throw new Error(String(answer.status));
      const { events, absences } = await answer.json();
      problem.textContent = "";
      showAbsences(absences);
      return [...events, ...absences.map(shade)];
    } catch {
      problem.textContent = says.failed;
      return [];
    }
  };
  const shade = ({ start, end }) => ({ start: `${start}T00:00:00`, end: `${end}T00:00:00`, display: "background", extendedProps: {} });
  const showAbsences = (absences) => {
    const lines = absences.map((one) => {
      const line = document.createElement("li");
      line.textContent = one.reason ? `${one.words} (${one.reason})` : one.words;
      return line;
    });
    document.getElementById("absences").replaceChildren(...lines);
  };

  const openPanel = (path) => htmx.ajax("GET", path, { source: box, target: "#panel-body", swap: "innerHTML" });
  const moved = ({ event, revert }) => {
    const { activity, etag, ended } = event.extendedProps;
    const values = { day: dayOf(event.start), etag, drag: "1", request_id: crypto.randomUUID() };
    if (!event.allDay) values.time = timeOf(event.start);
    if (!event.allDay && ended && event.end) Object.assign(values, { end_day: dayOf(event.end), end_time: timeOf(event.end) });
    putBack = revert;
    htmx.ajax("POST", `/activities/${activity}/move`, { source: box, target: box, swap: "none", values });
  };
  document.addEventListener("htmx:after:request", (event) => {
    const { sourceElement, request, response } = event.detail.ctx;
    if (sourceElement !== box || request.method !== "POST") return;
    if (response.status >= 400 && putBack) putBack();
    putBack = null;
  });

  // The grid of hours shows the time by its place; words say it in the month and in lists.
  const content = ({ event, timeText, view }) => {
    if (event.display === "background") return "";
    const timed = !view.type.startsWith("timeGrid") && !event.allDay;
    const parts = [[timed && timeText, "span"], [event.title, "b"], [event.extendedProps.with, "span"]].filter(([text]) => text);
    const nodes = parts.map(([text, tag]) => Object.assign(document.createElement(tag), { textContent: text, dir: "auto" }));
    return { domNodes: nodes.flatMap((node, at) => (at ? [document.createTextNode(" "), node] : [node])) };
  };
  const name = ({ event, el, timeText }) => {
    if (event.display === "background") return;
    const { kind, with: customer, repeats, done } = event.extendedProps;
    const words = [kind, timeText, event.title, customer, repeats && says.repeats, done && says.done].filter(Boolean).join(", ");
    el.setAttribute("aria-label", words);
    el.title = words;
  };

  const calendar = EventCalendar.create(box, {
    view: views[box.dataset.view],
    date: box.dataset.day,
    locale: box.dataset.locale,
    firstDay: Number(box.dataset.first),
    headerToolbar: { start: "", center: "", end: "" },
    eventTimeFormat: { hour: "numeric", minute: "2-digit", hour12: Boolean(box.dataset.hour12) },
    slotLabelFormat: { hour: "numeric", minute: "2-digit", hour12: Boolean(box.dataset.hour12) },
    nowIndicator: Intl.DateTimeFormat().resolvedOptions().timeZone === box.dataset.zone,
    scrollTime: "08:00:00",
    slotHeight: 26,
    height: "100%",
    noEventsContent: says.noEvents,
    allDayContent: says.allDay,
    dayMaxEvents: true,
    moreLinkContent: ({ num }) => `+${num} ${says.more}`,
    editable: true,
    eventStartEditable: true,
    longPressDelay: 400,
    dragScroll: true,
    eventSources: [{ events: load }],
    eventContent: content,
    eventDidMount: name,
    eventDrop: moved,
    eventResize: moved,
    eventClick: ({ event }) => event.extendedProps.activity && openPanel(`/activities/${event.extendedProps.activity}`),
    dateClick: ({ date, allDay }) => {
      const owner = box.dataset.who.startsWith("user:") ? `&owner=${box.dataset.who.slice(5)}` : "";
      openPanel(`/quick/task?kind=${allDay ? "task" : "meeting"}&start=${dayOf(date)}${allDay ? "" : `T${timeOf(date)}`}${owner}`);
    },
  });

  // The widget calls itself a table without having a table's rows; its entries are buttons with names of their own.
  const parts = "[role=table], [role=rowgroup], [role=row], [role=cell], [role=columnheader], [role=rowheader], [aria-colindex]";
  const claims = ["role", "aria-colindex", "aria-rowindex", "aria-colcount", "aria-rowcount"];
  // Its grid scrolls, so keys must reach it also where it has no entries.
  const plain = () => {
    box.querySelectorAll(parts).forEach((part) => claims.forEach((claim) => part.removeAttribute(claim)));
    if (!narrow) box.querySelectorAll(".ec-main").forEach((grid) => { grid.tabIndex = 0; });
  };
  new MutationObserver(plain).observe(box, { childList: true, subtree: true });
  plain();

  const refresh = () => calendar.refetchEvents();
  box.addEventListener("live", refresh);
  document.addEventListener("activities-changed", refresh);
  document.addEventListener("change", (event) => {
    if (event.target instanceof Element && event.target.matches("[data-submits]")) event.target.form.submit();
  });
})();
