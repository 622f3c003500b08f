// The board of deals: cards moved by mouse, by keyboard and by the list of stages; what is refused goes back.
(() => {
  const board = () => document.getElementById("board");
  const menu = () => document.getElementById("stage-menu");
  let dragged = null; // where a dragged card came from: { card, list, before }
  let held = null; // the card whose stages are shown
  let focused = ""; // id of the card that has the focus again after the board came anew

  const lists = () => (board() ? [...board().querySelectorAll("[data-cards]")] : []);
  const cardsOf = (list) => [...list.querySelectorAll(".bl-card")];
  const listOf = (card) => lists().find((list) => list.dataset.cards === card.dataset.stage);
  const size = () => Math.max(...lists().map((list) => cardsOf(list).length));

  const move = (card, stage) => {
    if (!stage || stage === card.dataset.stage) return;
    card.setAttribute("aria-busy", "true");
    focused = card.id;
    const path = board().dataset.move.replace("_id_", card.dataset.deal);
    const values = { stage, etag: card.dataset.etag, request_id: crypto.randomUUID() };
    htmx.ajax("POST", `${path}&size=${size()}`, { source: card, target: "#board", swap: "outerMorph", values });
  };

  const putBack = (card) => {
    card.removeAttribute("aria-busy");
    if (dragged && dragged.card === card) {
      const stays = dragged.before && dragged.before.parentElement === dragged.list; // unless the board came anew meanwhile
      dragged.list.insertBefore(card, stays ? dragged.before : null);
    }
    dragged = null;
  };

  document.addEventListener("htmx:config:request", (event) => {
    const { sourceElement, request } = event.detail.ctx;
    if (request.method !== "GET" || !lists().length) return;
    if (sourceElement.id === "board") request.body.set("size", size());
    if (sourceElement.matches(".bl-column")) request.body.set("size", cardsOf(sourceElement).length);
  });
  document.addEventListener("htmx:after:request", (event) => {
    const { sourceElement, response } = event.detail.ctx;
    const moved = response.headers.get("X-Moved");
    if (sourceElement.matches(".bl-card") && moved !== "yes") putBack(sourceElement);
    if (moved) document.querySelectorAll(".bl-ask").forEach((place) => place.replaceChildren());
  });
  document.addEventListener("htmx:error", (event) => {
    const source = event.detail.ctx && event.detail.ctx.sourceElement;
    if (source && source.matches(".bl-card")) putBack(source);
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const { sourceElement, response } = event.detail.ctx;
    // News of a column may be swapped in before the move's own answer; only this one ends the wish for the focus.
    const answered = (response && response.headers.get("X-Moved")) || sourceElement.matches(".bl-card");
    watch();
    const form = document.getElementById("ask-form");
    const card = focused && document.getElementById(focused);
    if (form && !form.contains(document.activeElement)) form.querySelector("select, input:not([type=hidden])").focus();
    else if (!form && card) card.querySelector("[data-card-link]").focus();
    if (!form && answered) focused = "";
  });

  // --- by mouse and finger
  const watch = () => {
    if (!window.Sortable) return;
    lists().forEach((list) => {
      if (Sortable.get(list)) return;
      Sortable.create(list, {
        group: "deals", draggable: ".bl-card", sort: false, ghostClass: "bl-ghost", forceFallback: true,
        fallbackTolerance: 4, delay: 150, delayOnTouchOnly: true, filter: ".bl-card-move", preventOnFilter: false,
        onChoose: ({ item }) => { dragged = { card: item, list: item.parentElement, before: item.nextElementSibling }; },
        onEnd: ({ item, to }) => move(item, to.dataset.cards),
      });
    });
  };

  // --- by the list of stages
  const showStages = (card) => {
    held = card;
    const list = menu();
    list.querySelectorAll("[data-to-stage]").forEach((one) => { one.disabled = one.dataset.toStage === card.dataset.stage; });
    list.showPopover();
    const at = card.querySelector("[data-stages]").getBoundingClientRect();
    list.style.left = `${Math.max(4, Math.min(at.right - list.offsetWidth, innerWidth - list.offsetWidth - 4))}px`;
    list.style.top = `${Math.max(4, Math.min(at.bottom + 2, innerHeight - list.offsetHeight - 4))}px`;
    list.querySelector("button:not(:disabled)").focus();
  };
  document.addEventListener("click", (event) => {
    const at = event.target instanceof Element ? event.target : null;
    if (!at) return;
    const opener = at.closest("[data-stages]");
    const stage = at.closest("[data-to-stage]");
    if (opener) showStages(opener.closest(".bl-card"));
    if (stage) {
      menu().hidePopover();
      move(document.getElementById(held.id), stage.dataset.toStage);
    }
    if (at.closest("[data-cancel-ask]")) cancel();
  });
  const cancel = () => {
    document.querySelectorAll(".bl-ask").forEach((place) => place.replaceChildren());
    const card = document.getElementById(focused);
    if (card) card.querySelector("[data-card-link]").focus();
    focused = "";
  };

  // --- by keyboard
  const step = (card, way) => {
    const all = lists();
    const list = all[all.indexOf(listOf(card)) + way];
    return list ? list.dataset.cards : "";
  };
  const look = (card, key, way) => {
    const mine = cardsOf(listOf(card));
    const at = mine.indexOf(card);
    if (key === "ArrowUp" || key === "ArrowDown") return mine[at + (key === "ArrowDown" ? 1 : -1)];
    for (let all = lists(), here = all.indexOf(listOf(card)) + way; all[here]; here += way) {
      const cards = cardsOf(all[here]);
      if (cards.length) return cards[Math.min(at, cards.length - 1)];
    }
    return null;
  };
  document.addEventListener("keydown", (event) => {
    const at = event.target instanceof Element ? event.target : null;
    if (!at || event.altKey || event.ctrlKey || event.metaKey) return;
    if (at.closest("#stage-menu")) {
      if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
      const all = [...menu().querySelectorAll("button:not(:disabled)")];
      all[(all.indexOf(at) + (event.key === "ArrowDown" ? 1 : all.length - 1)) % all.length].focus();
      event.preventDefault();
      return;
    }
    const edit = at.closest("[data-inline]");
    if (edit && event.key === "Escape") edit.querySelector("[data-cancel-edit]").click();
    if (at.closest(".bl-ask") && event.key === "Escape") cancel();
    if (edit || at.closest(".bl-ask")) return;
    const card = at.closest(".bl-card");
    if (!card) return;
    const way = (event.key === "ArrowRight") === (document.dir !== "rtl") ? 1 : -1;
    if (event.key === "m" || event.key === "M") showStages(card);
    else if (event.shiftKey && (event.key === "ArrowLeft" || event.key === "ArrowRight")) move(card, step(card, way));
    else if (event.key.startsWith("Arrow") && !event.shiftKey) {
      const next = look(card, event.key, way);
      if (next) next.querySelector("[data-card-link]").focus();
    } else return;
    event.preventDefault();
  });

  document.addEventListener("DOMContentLoaded", watch);
})();
