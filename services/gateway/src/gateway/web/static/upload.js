// A new import: the file goes up in pieces, with progress, and goes on where it stopped when the line or the page was lost.
(() => {
  const form = document.querySelector("[data-upload]");
  if (!form) return;
  const field = form.querySelector("input[type=file]");
  const box = form.querySelector("[data-progress-box]");
  const bar = box.querySelector("progress");
  const told = box.querySelector("[data-told]");
  const token = document.querySelector('meta[name="csrf"]').content;
  const megabytes = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });
  const MOST_TRIES = 8;
  const HASHED = 64 * 1048576; // bytes; a larger file would have to lie in memory whole to be worked out
  let sending = false;

  const nameOf = (file) => `upload:${file.name}:${file.size}:${file.lastModified}`;
  const say = (words) => { told.textContent = words; };
  const show = (done, size) => {
    bar.value = size ? done / size : 1;
    say(told.dataset.sending.replace("{done}", megabytes.format(done / 1048576)).replace("{size}", megabytes.format(size / 1048576)));
  };
  const wait = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

  class Refused extends Error {}

  // One request; a line that is lost or a service that is away is tried again, a refusal is not.
  const send = async (path, options) => {
    for (let tries = 1; ; tries += 1) {
      let answer = null;
      try {
        answer = await fetch(path, { ...options, headers: { "X-CSRF": token, "HX-Request": "true", "HX-Source": "form#new-import", ...options.headers } });
      } catch (lost) {
        if (tries >= MOST_TRIES) throw lost;
      }
      if (answer && answer.ok) return answer.json();
      if (answer && ![429, 502, 503, 504].includes(answer.status)) throw new Refused(await answer.text());
      if (tries >= MOST_TRIES) throw new Refused(answer ? await answer.text() : "");
      say(told.dataset.again);
      await wait(Math.min(2 ** tries / 4, 10));
    }
  };

  const begin = async (file) => {
    const fields = new URLSearchParams({ name: file.name, size_bytes: String(file.size), request_id: `file-${form.elements.request_id.value}-${file.lastModified}-${file.size}` });
    const made = await send("/imports/files", { method: "POST", body: fields });
    return { id: made.id, chunk: made.chunk_bytes, next: 0 };
  };

  const sendFrom = async (file, upload) => {
    for (let at = upload.next; at < file.size; at += upload.chunk) {
      show(at, file.size);
      const piece = file.slice(at, at + upload.chunk);
      await send(`/imports/files/${upload.id}/chunks?offset=${at}`, { method: "PUT", body: piece, headers: { "Content-Type": "application/octet-stream" } });
      localStorage.setItem(nameOf(file), JSON.stringify({ ...upload, next: at + upload.chunk }));
    }
    show(file.size, file.size);
  };

  const checksum = async (file) => {
    if (!window.crypto.subtle || file.size > HASHED) return "";
    const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  };

  const finish = async (file, upload) => {
    const fields = new URLSearchParams({ sha256: await checksum(file) });
    for (;;) {
      const answer = await send(`/imports/files/${upload.id}/complete`, { method: "POST", body: fields });
      if (!("missing" in answer)) return;
      await sendFrom(file, { ...upload, next: answer.missing });
    }
  };

  const upload = async (file) => {
    const kept = JSON.parse(localStorage.getItem(nameOf(file)) || "null");
    if (kept) {
      try {
        await sendFrom(file, kept);
        await finish(file, kept);
        return kept.id;
      } catch (refusal) {
        if (!(refusal instanceof Refused)) throw refusal; // it is gone over there: begin anew
      }
    }
    const fresh = await begin(file);
    await sendFrom(file, fresh);
    await finish(file, fresh);
    return fresh.id;
  };

  const showRefusal = (html) => {
    const place = form.querySelector("[data-problem]");
    place.innerHTML = html;
    place.dispatchEvent(new CustomEvent("htmx:after:swap", { bubbles: true, detail: {} }));
  };

  // Before htmx hears of it: the form is sent once the file is there.
  document.addEventListener("submit", async (event) => {
    const file = field.files[0];
    if (event.target !== form || form.elements.file_id.value || !file) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (sending) return;
    sending = true;
    box.hidden = false;
    form.querySelector("[data-problem]").replaceChildren();
    try {
      form.elements.file_id.value = await upload(file);
      localStorage.removeItem(nameOf(file));
      say(told.dataset.sent);
      form.requestSubmit();
    } catch (trouble) {
      box.hidden = true;
      showRefusal(trouble instanceof Refused ? trouble.message : "");
    } finally {
      sending = false;
    }
  }, true);

  // --- a dropped file, saved mappings of the kind only
  const area = form.querySelector("[data-drop-file]");
  for (const name of ["dragover", "dragenter"]) area.addEventListener(name, (event) => { event.preventDefault(); area.dataset.over = ""; });
  for (const name of ["dragleave", "drop"]) area.addEventListener(name, () => { delete area.dataset.over; });
  area.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) field.files = event.dataTransfer.files;
    forget();
  });
  const forget = () => { form.elements.file_id.value = ""; };
  field.addEventListener("change", forget);
  const kind = form.elements.kind;
  const offer = () => {
    for (const option of form.elements.template_name.options) option.hidden = Boolean(option.dataset.kind) && option.dataset.kind !== kind.value;
    const chosen = form.elements.template_name.selectedOptions[0];
    if (chosen && chosen.hidden) form.elements.template_name.value = "";
  };
  kind.addEventListener("change", offer);
  offer();
})();
