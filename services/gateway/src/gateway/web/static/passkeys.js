// Passkeys: asks the browser's devices for a signature or a new key, and sends the form with their answer.
(() => {
  if (!window.PublicKeyCredential || !PublicKeyCredential.parseRequestOptionsFromJSON) return;
  const csrf = document.querySelector("meta[name=csrf]");
  const begin = async (path) => {
    const headers = csrf ? { "X-CSRF": csrf.content } : {};
    const answer = await fetch(path, { method: "POST", headers });
    if (!answer.ok) throw new Error("not begun");
    return answer.json();
  };
  const prepare = (form, path, ask) => {
    let ready = false;
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      if (ready) { ready = false; return; }
      event.preventDefault();
      event.stopImmediatePropagation();
      const problem = form.querySelector("[data-passkey-problem]");
      problem.hidden = true;
      try {
        const begun = await begin(path);
        const made = await ask(begun.options);
        form.elements.ticket.value = begun.ticket;
        form.elements.credential.value = JSON.stringify(made.toJSON());
        ready = true;
        form.requestSubmit();
      } catch {
        problem.hidden = false;
      }
    }, true);
  };
  for (const form of document.querySelectorAll("[data-passkey-sign-in]"))
    prepare(form, form.dataset.passkeySignIn, (options) =>
      navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }));
  for (const form of document.querySelectorAll("[data-passkey-make]"))
    prepare(form, form.dataset.passkeyMake, (options) =>
      navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }));
})();
