// Search as one types: a combobox over the choices that the server draws. Arrows choose, Enter opens, Escape closes.
(() => {
  const PAUSE = 120; // ms without a key before asking
  const box = document.querySelector("[data-search]");
  if (!box) return;
  const field = box.querySelector("input");
  const list = box.querySelector("[role=listbox]");
  const said = box.querySelector("[data-search-said]");
  let timer = 0, asking = null, shown = "", active = -1;

  const options = () => [...list.querySelectorAll("[role=option]")];
  const close = () => {
    clearTimeout(timer);
    if (asking) asking.abort();
    list.hidden = true;
    active = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };
  const choose = (place) => {
    const all = options();
    if (!all.length) return;
    active = (place + all.length) % all.length;
    all.forEach((one, index) => one.setAttribute("aria-selected", String(index === active)));
    field.setAttribute("aria-activedescendant", all[active].id);
    all[active].scrollIntoView({ block: "nearest" });
  };
  const show = (html, query) => {
    list.innerHTML = html; // drawn by our own server, which escapes
    shown = query;
    list.hidden = !options().length;
    field.setAttribute("aria-expanded", String(!list.hidden));
    said.textContent = list.querySelector("[data-said]")?.textContent || "";
    if (!list.hidden) choose(0);
  };
  const ask = async () => {
    const query = field.value.trim();
    if (asking) asking.abort();
    if (query.length < 2) return close();
    asking = new AbortController();
    try {
      const answer = await fetch(`/search/suggest?q=${encodeURIComponent(query)}`, {
        headers: { "HX-Request": "true" }, signal: asking.signal });
      if (answer.headers.get("HX-Redirect")) location.assign(answer.headers.get("HX-Redirect"));
      else if (answer.ok) show(await answer.text(), query);
    } catch (trouble) {
      if (trouble.name !== "AbortError") close();
    }
  };

  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  });
  field.addEventListener("focus", () => {
    if (shown && shown === field.value.trim() && options().length) {
      list.hidden = false;
      field.setAttribute("aria-expanded", "true");
    }
  });
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (list.hidden) return;
      event.preventDefault();
      choose(active + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter" && !list.hidden && active >= 0 && shown === field.value.trim()) {
      event.preventDefault();
      options()[active].click();
    }
  });
  box.addEventListener("focusout", (event) => {
    if (!box.contains(event.relatedTarget)) close();
  });
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus until the click
})();
