// Lists: the order of columns in their form is their order in the list; chosen rows are counted, and may be acted on.
(() => {
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-column-up]") : null;
    const line = button && button.closest("li");
    if (!line || !line.previousElementSibling) return;
    line.parentElement.insertBefore(line, line.previousElementSibling);
    button.focus();
  });

  // --- choosing rows: one by one, all of the page, from the last one to this one with Shift
  const boxes = () => [...document.querySelectorAll("[data-choose]")];
  let last = null;
  const count = () => {
    const bar = document.getElementById("chosen");
    if (!bar) return;
    const all = boxes(), chosen = all.filter((box) => box.checked).length;
    bar.hidden = chosen === 0;
    bar.querySelector("[data-chosen-count]").textContent = chosen.toLocaleString(document.documentElement.lang);
    const whole = document.querySelector("[data-choose-all]");
    if (!whole) return;
    whole.checked = chosen > 0 && chosen === all.length;
    whole.indeterminate = chosen > 0 && chosen < all.length;
  };
  const setAll = (value) => boxes().forEach((box) => { box.checked = value; });
  document.addEventListener("click", (event) => {
    const at = event.target instanceof Element ? event.target : null;
    const box = at && at.closest("[data-choose]");
    if (box) {
      const all = boxes(), from = all.indexOf(last), to = all.indexOf(box);
      if (event.shiftKey && from >= 0) all.slice(Math.min(from, to), Math.max(from, to) + 1).forEach((one) => { one.checked = box.checked; });
      last = box;
    } else if (at && at.closest("[data-choose-all]")) {
      setAll(at.closest("[data-choose-all]").checked);
    } else if (at && at.closest("[data-choose-none]")) {
      setAll(false);
    } else {
      return;
    }
    count();
  });
  document.addEventListener("htmx:after:swap", count);
  document.addEventListener("DOMContentLoaded", count);
})();
