// Charts of a report, drawn on a canvas from the data that the table shows too; a click goes where the table's link goes.
(() => {
  const own = document.querySelector("#f-period");
  document.querySelectorAll("[data-own-period]").forEach((field) => field.addEventListener("change", () => { own.value = "own"; }));
  const places = document.querySelectorAll("[data-chart]");
  if (!places.length || !window.echarts) return;

  const root = document.documentElement;
  const rtl = root.dir === "rtl";
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const colours = () => {
    const style = getComputedStyle(document.body);
    const dark = root.getAttribute("data-bs-theme") === "dark";
    return {
      text: style.color,
      line: dark ? "#3a4659" : "#dbe1e8", // the theme's own is in a form that a canvas cannot read
      font: style.fontFamily,
      surface: dark ? "#1b2434" : "#ffffff",
      series: dark ? ["#7fb0ff", "#ffb86b", "#8ce99a", "#d0bfff"] : ["#1f5fbf", "#d9730d", "#2f9e44", "#7048e8"],
      before: dark ? "#5c6b85" : "#b4bfce",
      funnel: dark ? ["#2f5288", "#414d61"] : ["#a9c8f3", "#d5dbe3"], // pale: the words stand on them and beside them
    };
  };
  const short = new Intl.NumberFormat(root.lang, { notation: "compact", maximumFractionDigits: 1 });
  const go = (link) => { if (link) window.location.assign(link); };
  const tooltip = (c, formatter) => ({
    renderMode: "richText", confine: true, backgroundColor: c.surface, borderColor: c.line, textStyle: { color: c.text, fontFamily: c.font }, formatter,
  });

  const bars = (chart, c, width) => {
    const sideways = !chart.time && (chart.categories.length > 6 || width < 480);
    const stacked = chart.kind === "stack";
    const names = { type: "category", data: chart.categories, inverse: sideways || (rtl && !sideways), axisTick: { show: false }, axisLine: { lineStyle: { color: c.line } }, axisLabel: { color: c.text, width: sideways ? Math.min(160, width * 0.35) : undefined, overflow: "truncate", hideOverlap: !sideways, interval: sideways ? 0 : "auto" }, position: sideways && rtl ? "right" : undefined };
    const figures = { type: "value", inverse: rtl && sideways, splitNumber: 4, axisLabel: { color: c.text, formatter: (value) => short.format(value) }, splitLine: { lineStyle: { color: c.line } } };
    let plain = 0;
    const series = chart.series.map((one) => ({
      name: one.name, type: "bar", data: one.values, barMaxWidth: 28, barGap: "10%", stack: stacked ? (one.before ? "before" : "now") : undefined,
      itemStyle: { color: one.before ? c.before : c.series[plain++ % c.series.length] }, cursor: "pointer",
    }));
    const told = (points) => [chart.categories[points[0].dataIndex], ...points.map((point) => `${point.seriesName}: ${chart.series[point.seriesIndex].texts[point.dataIndex] || "–"}`)].join("\n");
    return {
      grid: { left: 8, right: 16, top: series.length > 1 ? 32 : 12, bottom: 4, containLabel: true },
      legend: series.length > 1 ? { top: 0, left: rtl ? "right" : "left", textStyle: { color: c.text } } : undefined,
      tooltip: { trigger: "axis", axisPointer: { type: "shadow" }, ...tooltip(c, told) },
      xAxis: sideways ? figures : names, yAxis: sideways ? names : figures, series,
    };
  };

  const funnel = (chart, c) => {
    const most = Math.max(...chart.sides.flatMap((side) => side.steps.map((step) => step.value)), 1);
    const share = 100 / chart.sides.length;
    const label = (side) => (point) => {
      const step = side.steps[point.dataIndex];
      return `${step.name}  ${step.text}${step.share ? ` · ${step.share}` : ""}`;
    };
    const titles = chart.sides.filter((side) => side.name).map((side, at) => ({ text: side.name, left: `${share * at + share / 2}%`, textAlign: "center", top: 0, textStyle: { color: c.text, fontSize: 12, fontFamily: c.font } }));
    return {
      title: titles,
      tooltip: { trigger: "item", ...tooltip(c, (point) => label(chart.sides[point.seriesIndex])(point)) },
      series: chart.sides.map((side, at) => ({
        type: "funnel", sort: "none", gap: 2, min: 0, max: most, minSize: "4%", maxSize: "100%",
        left: `${share * at + 2}%`, width: `${share - 4}%`, top: titles.length ? 24 : 4, bottom: 4, cursor: "pointer",
        label: { show: true, position: "inside", color: c.text, textBorderWidth: 0, fontFamily: c.font, formatter: label(side) },
        itemStyle: { borderWidth: 0, color: c.funnel[at] },
        data: side.steps.map((step) => ({ name: step.name, value: step.value })),
      })),
    };
  };

  const drawn = [];
  const draw = (place) => {
    const chart = JSON.parse(place.dataset.chart);
    const c = colours();
    const canvas = window.echarts.init(place, null, { renderer: "canvas" });
    const options = chart.kind === "funnel" ? funnel(chart, c) : bars(chart, c, place.clientWidth);
    canvas.setOption({ animation: !calm, textStyle: { fontFamily: c.font, color: c.text }, ...options });
    canvas.on("click", (point) => go(chart.kind === "funnel" ? chart.sides[point.seriesIndex].steps[point.dataIndex].link : chart.links[point.dataIndex]));
    drawn.push(canvas);
  };
  places.forEach(draw);
  const again = () => { drawn.splice(0).forEach((canvas) => canvas.dispose()); places.forEach(draw); };
  let wait = 0;
  window.addEventListener("resize", () => { clearTimeout(wait); wait = setTimeout(again, 150); });
  new MutationObserver(again).observe(root, { attributes: true, attributeFilter: ["data-bs-theme"] });
})();
