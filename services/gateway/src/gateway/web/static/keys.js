// The keyboard map: / search, c t d p o new things, g and a letter to go, j k through lists, x chooses a row, ? the keys themselves.
// Silent while somebody types, with Ctrl, Alt or Meta, and when switched off in the settings (WCAG 2.1.4).
(() => {
  const GO_WITHIN = 1500; // ms between g and its letter
  let went = -Infinity;

  const isTyping = (target) =>
    target instanceof Element && target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], [role=textbox]") !== null;
  // A layout without Latin letters still has the same keys in the same places.
  const letterOf = (event) => {
    if (/^[a-z]$/i.test(event.key)) return event.key.toLowerCase();
    const other = /^\p{L}$/u.test(event.key) && /^Key([A-Z])$/.exec(event.code);
    return other ? other[1].toLowerCase() : "";
  };
  const isSlash = (event) => event.key === "/" || (event.code === "Slash" && !event.shiftKey && event.key !== "-");
  const isQuestion = (event) => /^[?؟?]$/.test(event.key) || (event.code === "Slash" && event.shiftKey && event.key !== "_");

  // A link that htmx has not taken in hand yet would leave the page: a key pressed that early waits for it.
  const press = (element) => {
    if (!element) return false;
    const early = element.hasAttribute("hx-get") && !element.hasAttribute("data-htmx-powered");
    if (early) setTimeout(() => press(element), 30);
    else element.click();
    return true;
  };
  const step = (by) => {
    const rows = [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
    if (!rows.length) return false;
    const here = rows.findIndex((row) => row.contains(document.activeElement));
    const row = rows[here < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(here + by, 0), rows.length - 1)];
    const target = row.matches("a[href], button, [tabindex]") ? row : row.querySelector("a[href], button");
    if (!target) return false;
    target.focus();
    row.scrollIntoView({ block: "nearest" });
    return true;
  };
  const act = (event) => {
    if (isQuestion(event)) return press(document.querySelector('[data-key="?"]'));
    if (isSlash(event)) {
      const field = document.getElementById("search");
      if (field) field.focus();
      if (field) field.select();
      return Boolean(field);
    }
    const letter = event.shiftKey ? "" : letterOf(event);
    if (!letter) return false;
    const going = performance.now() - went < GO_WITHIN;
    went = -Infinity;
    if (going) return press(document.querySelector(`[data-go="${letter}"]`));
    if (letter === "g") {
      went = performance.now();
      return true;
    }
    if (letter === "j" || letter === "k") return step(letter === "j" ? 1 : -1);
    const row = document.activeElement && document.activeElement.closest("[data-row]");
    if (letter === "x" && row) return press(row.querySelector("[data-choose]"));
    // What the page offers for a key knows more than the menu of every page: the customer of a card, say.
    const key = `[data-key="${letter}"]`;
    return press(document.querySelector(`#main ${key}`) || document.querySelector(key));
  };

  document.addEventListener("keydown", (event) => {
    if (document.documentElement.dataset.keys === "off") return;
    if (event.defaultPrevented || event.isComposing || event.repeat && !/^[jk]$/.test(letterOf(event))) return;
    if (event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
    if (act(event)) event.preventDefault();
  });
})();
