// Forms that a passkey fills in (WebAuthn Level 3 §5.1): the page asks for options, the browser for the passkey.
"use strict";
{
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
  const text = (buffer) => {
    let binary = "";
    for (const one of new Uint8Array(buffer)) binary += String.fromCharCode(one);
    return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };

  // The members of options that are bytes, from their JSON form (§5.1.8, §5.1.9).
  const read = (options) => {
    options.challenge = bytes(options.challenge);
    if (options.user) options.user.id = bytes(options.user.id);
    for (const list of [options.allowCredentials, options.excludeCredentials]) {
      for (const one of list ?? []) one.id = bytes(one.id);
    }
    return options;
  };

  // The JSON form of what a passkey answered (§5.5).
  const written = (credential) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = text(credential.response[name]);
    }
    if (credential.response.getTransports) response.transports = credential.response.getTransports();
    const { id, type, authenticatorAttachment } = credential;
    return JSON.stringify({ id, rawId: text(credential.rawId), type, response, authenticatorAttachment, clientExtensionResults: {} });
  };

  let waiting = null;

  const ask = async (form) => {
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.dataset.options, { method: "POST", body, headers: { Accept: "application/json" } });
    const document_ = await answer.json();
    if (answer.ok) return read(document_);
    throw new Error(window.document.documentElement.lang === "vi" ? document_.detail_vi : document_.detail);
  };

  const use = async (form, mediation) => {
    waiting?.abort();
    waiting = null;
    const publicKey = await ask(form);
    const controller = new AbortController();
    waiting = controller;
    const given = { publicKey, signal: controller.signal };
    const credential = form.dataset.kind === "create"
      ? await navigator.credentials.create(given)
      : await navigator.credentials.get(mediation ? { ...given, mediation } : given);
    form.elements.namedItem("response").value = written(credential);
    form.submit();
  };

  const said = (form, error) => {
    if (error.name === "AbortError") return null;
    if (error.name === "NotAllowedError") return form.dataset.cancelled;
    if (error.name === "InvalidStateError") return form.dataset.known;
    return error.name === "Error" ? error.message : form.dataset.failed;
  };

  if (window.PublicKeyCredential) {
    for (const part of document.querySelectorAll(".passkey-part, .or")) part.hidden = false;
    for (const form of document.querySelectorAll("form.passkey")) {
      const alert = form.querySelector("[role=alert]");
      form.hidden = false;
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        alert.hidden = true;
        use(form).catch((error) => {
          const message = said(form, error);
          alert.hidden = message === null;
          alert.textContent = message ?? "";
        });
      });
      if ("autofill" in form.dataset) {
        PublicKeyCredential.isConditionalMediationAvailable?.().then((available) => {
          // Whatever fails here, nobody has asked for.
          if (available) use(form, "conditional").catch(() => {});
        });
      }
    }
  }
}
