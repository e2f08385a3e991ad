// Before the first paint: the theme that was chosen here, so that the page does not flash in the other one.
(() => {
  const chosen = localStorage.getItem("lookalike.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
