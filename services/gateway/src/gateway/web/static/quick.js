// Quick forms wherever they open: Enter saves, a customer is chosen by typing, focus goes where one types next.
(() => {
  // --- Enter saves, Shift+Enter begins a line; Ctrl+Enter saves and goes on to the next
  document.addEventListener("keydown", (event) => {
    const text = event.target;
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || !(text instanceof HTMLTextAreaElement)) return;
    if (!("enterSaves" in text.dataset)) return;
    event.preventDefault();
    const next = event.ctrlKey || event.metaKey ? text.form.querySelector("[data-next]") : null;
    text.form.requestSubmit(next || text.form.querySelector("[data-default]"));
  });

  // --- a customer chosen by typing (the combobox pattern of WAI-ARIA)
  const listOf = (input) => document.getElementById(input.getAttribute("aria-controls"));
  const choicesOf = (input) => [...listOf(input).querySelectorAll("[data-id]")];
  const close = (input) => {
    listOf(input).replaceChildren();
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const mark = (input, choice) => {
    choicesOf(input).forEach((one) => one.setAttribute("aria-selected", String(one === choice)));
    input.setAttribute("aria-activedescendant", choice.id);
    choice.scrollIntoView({ block: "nearest" });
  };
  const setId = (box, name, id) => {
    const field = box.querySelector("[data-pick-id]");
    if (name) field.name = name;
    field.value = id;
  };
  const pick = (input, choice) => {
    const box = input.closest("[data-pick]");
    const field = box.querySelector("[data-pick-id]");
    const either = field.name === "person_id" || field.name === "organization_id";
    setId(box, either ? `${choice.dataset.type}_id` : "", choice.dataset.id);
    input.value = choice.dataset.name;
    input.setCustomValidity("");
    close(input);
    const after = input.form.querySelector("textarea[name=summary]");
    if (after) after.focus();
  };
  const isPick = (at) => at instanceof HTMLInputElement && at.closest("[data-pick]") && at.getAttribute("role") === "combobox";
  document.addEventListener("input", (event) => {
    if (isPick(event.target)) setId(event.target.closest("[data-pick]"), "", "");
  });
  document.addEventListener("keydown", (event) => {
    const input = event.target;
    if (!isPick(input) || event.isComposing) return;
    const choices = choicesOf(input);
    const at = choices.findIndex((one) => one.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (choices.length) mark(input, choices[(at + (event.key === "ArrowDown" ? 1 : -1 + choices.length)) % choices.length] || choices[0]);
    } else if (event.key === "Enter" && choices.length) {
      event.preventDefault();
      pick(input, choices[Math.max(at, 0)]);
    } else if (event.key === "Escape" && listOf(input).childElementCount) {
      event.stopPropagation();
      close(input);
    } else if (event.key === "Tab" && choices.length && !input.closest("[data-pick]").querySelector("[data-pick-id]").value) {
      if (at >= 0) pick(input, choices[at]);
      else close(input);
    }
  }, true);
  document.addEventListener("mousedown", (event) => {
    const choice = event.target instanceof Element ? event.target.closest(".bl-picks [data-id]") : null;
    if (!choice) return;
    event.preventDefault();
    pick(choice.closest("[data-pick]").querySelector("[role=combobox]"), choice);
  });
  document.addEventListener("focusout", (event) => {
    if (isPick(event.target)) close(event.target);
  });

  // --- focus: into a form that appeared, and back to the fact when the form is gone
  let edited = "", asked = null; // the fact's id, and its request: news may be swapped in before its answer
  document.addEventListener("htmx:before:request", (event) => {
    const source = event.detail.ctx && event.detail.ctx.sourceElement;
    const fact = source && source.closest && source.closest(".bl-fact, .bl-fact-open");
    const holder = fact && (fact.id.startsWith("fact-") ? fact : fact.closest("[id^=fact-]"));
    if (holder && source.matches("button, form")) [edited, asked] = [holder.id, event.detail.ctx];
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const target = event.detail.ctx && event.detail.ctx.target;
    if (target && target.classList && target.classList.contains("bl-picks")) {
      const input = document.querySelector(`[aria-controls="${target.id}"]`);
      if (input) input.setAttribute("aria-expanded", String(target.childElementCount > 0));
    }
    const box = document.getElementById("quick-call-box");
    const wanted = box && !box.dataset.seen ? box.querySelector("[autofocus]") : null;
    if (wanted && box.closest("#panel-body")) {
      box.dataset.seen = "1";
      wanted.focus();
    }
    if (!asked || event.detail.ctx !== asked) return;
    const fact = document.getElementById(edited);
    asked = null;
    if (!fact) return;
    const into = fact.querySelector("form[data-fact-form] [autofocus], .bl-conflict [autofocus]") || fact.querySelector("button");
    if (into) into.focus();
  });

  // --- what was copied says so
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-copy]") : null;
    if (!button) return;
    button.classList.add("bl-copied");
    setTimeout(() => button.classList.remove("bl-copied"), 1200);
  });
})();
