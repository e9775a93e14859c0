// Whatever scrolls sideways can be reached and scrolled from the keyboard.

function markScrollable() {
  const boxes = "div.math, .pst-scrollable-table-container, .output, div.highlight pre";
  for (const box of document.querySelectorAll(boxes)) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else if (box.tabIndex === 0) box.removeAttribute("tabindex");
  }
}

window.addEventListener("load", markScrollable);
window.addEventListener("resize", markScrollable);
