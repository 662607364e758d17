// A chosen file fills a field of the form, which is what is sent; without scripts its text is pasted.
"use strict";
for (const chooser of document.querySelectorAll("input[type=file][data-fills]")) {
  const field = document.getElementById(chooser.dataset.fills);
  chooser.hidden = false;
  chooser.addEventListener("change", async () => {
    const [file] = chooser.files;
    if (file) {
      field.value = await file.text();
    }
  });
}
