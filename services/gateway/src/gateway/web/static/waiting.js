// Requests on their way: progress is shown from a tenth of a second on; what nobody answered is asked for again where
// the page asked by itself, and told where a person did.
(() => {
  const FIRST_PAUSE = 2000, LONGEST_PAUSE = 30000;
  const BY_ITSELF = new Set(["load", "live", "every", "intersect", "revealed"]);
  const tries = new WeakMap(); // elements whose part did not come, and how often it was asked for again
  let waiting = 0;

  const isByItself = (ctx) => tries.has(ctx.sourceElement) || BY_ITSELF.has(ctx.sourceEvent && ctx.sourceEvent.type);
  const count = (way) => {
    waiting = Math.max(0, waiting + way);
    document.body.toggleAttribute("data-waiting", waiting > 0);
  };

  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    if (isByItself(ctx)) return;
    ctx.counted = true;
    count(1);
  });
  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    if (ctx.counted) count(-1);
    ctx.counted = false;
  });
  document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    tries.delete(ctx.sourceElement);
    const told = document.getElementById("no-answer");
    if (told) told.remove();
  });

  const askAgain = (ctx) => {
    const element = ctx.sourceElement;
    const tried = tries.get(element) || 0;
    tries.set(element, tried + 1);
    setTimeout(() => {
      if (!element.isConnected) return;
      const { action } = ctx.request;
      htmx.ajax("GET", action, { source: element, target: ctx.target, swap: ctx.swap, select: ctx.select });
    }, Math.min(FIRST_PAUSE * 2 ** tried, LONGEST_PAUSE));
  };
  const tell = () => {
    const place = document.getElementById("notices");
    if (!place || document.getElementById("no-answer")) return;
    place.append(document.getElementById("no-answer-said").content.cloneNode(true));
  };
  document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
    if (!ctx || ctx.response || !ctx.request) return; // an answer came, the trouble is another one
    if (ctx.request.method === "GET" && isByItself(ctx)) askAgain(ctx);
    else tell();
  });
})();
