// What every page does: forgery tokens, the side panel, drop-down lists, notices, marks on refused fields.
(() => {
  const panel = () => document.getElementById("panel");

  document.addEventListener("htmx:config:request", (event) => {
    const token = document.querySelector('meta[name="csrf"]');
    if (token) event.detail.ctx.request.headers["X-CSRF"] = token.content;
  });

  // --- the side panel: opened by whatever swaps into it, closed by Escape, its button, or a done form
  const openPanel = () => {
    const box = panel();
    if (!box.open) box.show();
    const first = box.querySelector("[autofocus], input:not([type=hidden]), textarea, select, a[href], button:not([data-close-panel])");
    if (first) first.focus();
  };
  const closePanel = () => {
    const box = panel();
    if (!box || !box.open) return;
    box.close();
    document.getElementById("panel-body").replaceChildren();
    if (opener && opener.isConnected) opener.focus();
  };
  let opener = null;
  document.addEventListener("htmx:before:request", (event) => {
    const source = event.detail.ctx && event.detail.ctx.sourceElement;
    if (source && source.closest("[data-open-panel]")) opener = source;
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const target = event.detail.ctx && event.detail.ctx.target;
    if (target && target.id === "panel-body") openPanel();
  });
  document.addEventListener("close-panel", closePanel);

  document.addEventListener("click", (event) => {
    const at = event.target instanceof Element ? event.target : null;
    if (!at) return;
    if (at.closest("[data-close-panel]")) closePanel();
    if (at.closest("[data-close-notice]")) at.closest(".bl-notice").remove();
    const rail = at.closest("[data-toggle-rail]");
    if (rail) rail.setAttribute("aria-expanded", String(document.body.classList.toggle("bl-rail-open")));
    const copied = at.closest("[data-copy]");
    if (copied && navigator.clipboard) navigator.clipboard.writeText(copied.dataset.copy);
    document.querySelectorAll("details[data-drop][open]").forEach((list) => {
      if (!list.contains(at) || at.closest("[data-open-panel]")) list.open = false;
    });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const list = document.querySelector("details[data-drop][open]");
    if (list) {
      list.open = false;
      list.querySelector("summary").focus();
    } else {
      closePanel();
    }
  });

  // --- news leave open what somebody opened
  document.addEventListener("htmx:before:morph:node", (event) => {
    const { oldNode, newNode } = event.detail;
    if (oldNode instanceof HTMLDetailsElement) newNode.open = oldNode.open;
  });

  // --- refused fields: marked where they stand, until they are changed
  const markFields = (notice) => {
    const form = notice.closest("form");
    if (!form) return;
    form.querySelectorAll("[aria-invalid]").forEach((field) => field.removeAttribute("aria-invalid"));
    for (const [name] of JSON.parse(notice.dataset.problems)) {
      const field = form.elements.namedItem(name) ?? [...form.elements].find((one) => one.dataset.field === name);
      if (field instanceof Element) field.setAttribute("aria-invalid", "true");
    }
    const first = form.querySelector("[aria-invalid]");
    if (first) first.focus();
  };
  document.addEventListener("input", (event) => event.target.removeAttribute("aria-invalid"));

  const watchNew = (root) => {
    root.querySelectorAll("[data-problems]").forEach(markFields);
    root.querySelectorAll("[data-fades]").forEach((notice) => {
      delete notice.dataset.fades;
      setTimeout(() => notice.remove(), 6000);
    });
  };
  document.addEventListener("htmx:after:swap", () => watchNew(document));
})();
