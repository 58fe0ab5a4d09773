// What is wider than its place can be moved by the keyboard too; nothing else becomes a stop for the Tab key.
(() => {
  const places = "pre, .output, .cell_output, .table-wrapper";
  const update = () => {
    for (const place of document.querySelectorAll(places)) {
      if (place.scrollWidth > place.clientWidth + 1) place.tabIndex = 0;
      else place.removeAttribute("tabindex");
    }
  };
  addEventListener("load", update);
  addEventListener("resize", update);
})();
