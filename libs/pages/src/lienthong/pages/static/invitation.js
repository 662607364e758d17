// The secret of a one-time link stands behind `#`, which browsers do not send: it is posted, and leaves the address.
"use strict";
{
  const open = () => {
    const form = document.getElementById("invitation");
    const secret = location.hash.slice(1);
    if (!form || !secret) return;
    history.replaceState(null, "", location.pathname);
    form.elements.namedItem("link").value = secret;
    form.requestSubmit();
  };
  // A link that is opened where the page stands already changes nothing but what is behind `#`.
  addEventListener("hashchange", open);
  open();
}
