// Puts the widget into the example page, as a shop would by hand, with what the form says.
"use strict";
const form = document.getElementById("options");

function show() {
  const script = document.createElement("script");
  script.src = new URL("/widget.js", location.href).href;
  for (const [name, value] of new FormData(form)) if (value) script.dataset[name] = value;
  script.dataset.target = "#search";
  document.getElementById("search").replaceChildren();
  document.getElementById("code").textContent = script.outerHTML.replace("></script>", " defer></script>");
  document.head.append(script);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  show();
});

async function begin() {
  const asked = new URLSearchParams(location.search);
  for (const name of ["collection", "href", "caption"]) if (asked.has(name)) form.elements[name].value = asked.get(name);
  if (!form.elements.collection.value) {
    const answer = await fetch("/v1/collections");
    if (!answer.ok) return;
    const { collections } = await answer.json();
    if (collections.length) form.elements.collection.value = collections[0].name;
  }
  if (form.elements.collection.value) show();
}

begin();
