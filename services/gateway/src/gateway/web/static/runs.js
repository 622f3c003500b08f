// A run that works: rows a second and time left, from what changed between two looks at it.
(() => {
  const seen = new Map(); // where each step was when it was first looked at
  const language = document.documentElement.lang;
  const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
  const spoken = (seconds) => {
    const [value, unit] = seconds < 90 ? [seconds, "second"] : [seconds / 60, "minute"];
    return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 0 }).format(Math.max(Math.ceil(value), 1));
  };
  const tell = () => {
    const place = document.querySelector("[data-rate]");
    const bar = document.querySelector("[data-progress]");
    if (!place || !bar) return;
    const share = Number(bar.getAttribute("value"));
    const now = performance.now() / 1000;
    const first = seen.get(place.dataset.rate) || { share, now };
    seen.set(place.dataset.rate, first);
    const gained = share - first.share;
    if (gained <= 0 || now - first.now < 1) return;
    const rate = (gained * Number(place.dataset.rows)) / (now - first.now);
    if (rate < 1) return;
    const left = ((1 - share) * (now - first.now)) / gained;
    place.textContent = place.dataset.words.replace("{rate}", whole.format(rate)).replace("{left}", spoken(left));
  };
  document.addEventListener("htmx:after:swap", tell);
  tell();
})();
