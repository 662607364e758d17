// A system's key is made here, by the browser (Web Cryptography API): the private half is saved as a file of the
// person's and never sent; the form has the public half alone.
"use strict";
{
  const part = document.getElementById("make-key");
  const form = document.getElementById("add-key");
  const KINDS = {
    "P-256": { algorithm: { name: "ECDSA", namedCurve: "P-256" }, alg: "ES256", members: ["crv", "kty", "x", "y"] },
    Ed25519: { algorithm: { name: "Ed25519" }, alg: "EdDSA", members: ["crv", "kty", "x"] },
  };
  let made = null;

  const base64 = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));

  // RFC 7638: the digest of the required members in the order of their names.
  const thumbprint = async (jwk, members) => {
    const text = JSON.stringify(Object.fromEntries(members.map((name) => [name, jwk[name]])));
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    return base64(digest).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };

  const pem = (buffer) =>
    `-----BEGIN PRIVATE KEY-----\n${base64(buffer).match(/.{1,64}/g).join("\n")}\n-----END PRIVATE KEY-----\n`;

  const make = async (name) => {
    const kind = KINDS[name];
    const pair = await crypto.subtle.generateKey(kind.algorithm, true, ["sign", "verify"]);
    const whole = await crypto.subtle.exportKey("jwk", pair.privateKey);
    const found = Object.fromEntries(kind.members.map((member) => [member, whole[member]]));
    const kid = `${part.dataset.today}-${(await thumbprint(found, kind.members)).slice(0, 8)}`;
    const shown = { ...found, use: "sig", alg: kind.alg, kid };
    return { jwk: { ...shown, d: whole.d }, shown, pkcs8: await crypto.subtle.exportKey("pkcs8", pair.privateKey) };
  };

  const save = (name, text, type) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
    part.querySelector("[data-send]").disabled = false;
  };

  if (part && form && window.crypto?.subtle) {
    part.hidden = false;
    const said = part.querySelector("[role=status]");
    const failed = part.querySelector("[role=alert]");
    part.querySelector("[data-make]").addEventListener("click", async () => {
      failed.hidden = true;
      try {
        made = await make(part.querySelector("select").value);
      } catch {
        failed.hidden = false;
        return;
      }
      part.querySelector("[data-made]").hidden = false;
      part.querySelector("[data-send]").disabled = true;
      said.textContent = `${part.dataset.madeText} ${made.shown.kid}`;
    });
    part.querySelector("[data-jwk]").addEventListener("click", () =>
      save("key.jwk", `${JSON.stringify(made.jwk, null, 2)}\n`, "application/jwk+json"));
    part.querySelector("[data-pem]").addEventListener("click", () =>
      save("key.pem", pem(made.pkcs8), "application/x-pem-file"));
    part.querySelector("[data-send]").addEventListener("click", () => {
      form.elements.namedItem("jwk").value = JSON.stringify(made.shown);
      form.requestSubmit();
    });
  }
}
