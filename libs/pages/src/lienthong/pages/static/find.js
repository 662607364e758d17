// Shows what is found while one types: the same page is asked for, and its results take the place of these.
// Without scripts the form is sent by its button.
"use strict";
{
  const form = document.getElementById("find");
  const [field, count, found] = ["q", "count", "found"].map((id) => document.getElementById(id));
  let asked = null;
  let pause = 0;
  const show = () => {
    const address = new URL(form.action);
    address.search = new URLSearchParams(new FormData(form));
    asked?.abort();
    const request = new XMLHttpRequest();
    asked = request;
    request.open("GET", address);
    // The browser makes a document of it, in which no script runs.
    request.responseType = "document";
    request.addEventListener("load", () => {
      const other = request.response;
      if (!other?.getElementById("found") || other.getElementById("q-error")) {
        form.requestSubmit();
        return;
      }
      for (const part of [count, found]) {
        part.replaceChildren(...document.importNode(other.getElementById(part.id), true).childNodes);
      }
      history.replaceState(null, "", address);
    });
    request.send();
  };
  field.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(show, 200);
  });
}
