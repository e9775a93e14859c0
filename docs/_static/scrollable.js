// Whatever scrolls sideways can be reached and scrolled from the keyboard.

(() => {
  const scrolls = (box) =>
    box.scrollWidth > box.clientWidth
    && ["auto", "scroll"].includes(getComputedStyle(box).overflowX);

  function markScrollable() {
    for (const box of document.querySelectorAll("article div, article pre")) {
      if (scrolls(box)) box.tabIndex = 0;
      else if (box.getAttribute("tabindex") === "0") box.removeAttribute("tabindex");
    }
  }

  window.addEventListener("load", markScrollable);
  window.addEventListener("resize", markScrollable);
})();
