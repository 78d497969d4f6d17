// Passkeys: asks the browser for one and sends what it says with the form. Nothing is fetched, stored or written elsewhere.
"use strict";

(function () {
  const form = document.querySelector("form[data-passkey]");
  if (!form || !window.PublicKeyCredential) {
    return; // the page says what else there is
  }
  document.querySelector("[data-without-script]").hidden = true;
  form.hidden = false;

  const bytes = (words) => Uint8Array.from(atob(words.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const words = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const known = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  function asked() {
    const options = JSON.parse(form.dataset.passkey);
    options.challenge = bytes(options.challenge);
    if (options.user) {
      options.user.id = bytes(options.user.id);
      options.excludeCredentials = known(options.excludeCredentials);
      return navigator.credentials.create({ publicKey: options });
    }
    options.allowCredentials = known(options.allowCredentials);
    return navigator.credentials.get({ publicKey: options });
  }

  function answer(found) {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (found.response[name]) {
        response[name] = words(found.response[name]);
      }
    }
    return JSON.stringify({ id: found.id, rawId: words(found.rawId), type: found.type, response });
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const failed = form.querySelector("[role=alert]");
    failed.hidden = true;
    try {
      form.elements.answer.value = answer(await asked());
    } catch (error) {
      failed.hidden = false; // not found, not wanted, or out of time: the browser has said which
      return;
    }
    form.submit();
  });
})();
