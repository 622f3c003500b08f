// The workload: what somebody has to do is dragged to another day or person; the panel does the same by keys.
(() => {
  let dragged = null;
  const cellOf = (event) => dragged && event.target instanceof Element && event.target.closest("[data-user] td");
  const dayOf = (cell) => cell.closest("table").tHead.rows[0].cells[cell.cellIndex].dataset.day;
  const unmark = () => document.querySelectorAll(".bl-drop").forEach((cell) => cell.classList.remove("bl-drop"));

  document.addEventListener("dragstart", (event) => {
    const item = event.target instanceof Element && event.target.closest("[data-activity][draggable]");
    if (!item) return;
    dragged = item;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", item.textContent);
  });
  document.addEventListener("dragend", () => { dragged = null; unmark(); });
  document.addEventListener("dragover", (event) => {
    const cell = cellOf(event);
    if (!cell) return;
    event.preventDefault();
    unmark();
    cell.classList.add("bl-drop");
  });
  document.addEventListener("drop", (event) => {
    const cell = cellOf(event);
    unmark();
    if (!cell) return;
    event.preventDefault();
    const { activity, etag, time } = dragged.dataset;
    const from = dragged.closest("td");
    const source = document.getElementById("workload");
    dragged = null;
    if (cell === from) return;
    const values = { day: dayOf(cell), etag, drag: "1", request_id: crypto.randomUUID() };
    if (time) values.time = time;
    if (cell.parentElement !== from.parentElement) values.owner_id = cell.parentElement.dataset.user;
    htmx.ajax("POST", `/activities/${activity}/move`, { source, target: source, swap: "none", values });
  });
  document.addEventListener("change", (event) => {
    if (event.target instanceof Element && event.target.matches("[data-submits]")) event.target.form.submit();
  });
})();
