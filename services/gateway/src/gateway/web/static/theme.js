// Light or dark before the first paint: the person's choice, else the system's.
(() => {
  const root = document.documentElement;
  const wish = root.dataset.theme;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => root.setAttribute("data-bs-theme", wish === "auto" ? (system.matches ? "dark" : "light") : wish);
  apply();
  system.addEventListener("change", apply);
})();
