// The site's search: Pagefind's index, shown in a dialog or on the search page.

(() => {
  const LIMIT = 12;
  const form = document.querySelector("form.site-search");
  const input = form.querySelector("input");
  const status = form.querySelector("[role=status]");
  const list = form.querySelector("ol");
  const dialog = document.getElementById("site-search");

  // Words of questions, which say nothing of what is asked for.
  const EMPTY = new Set(
    ("a an and any are as at be by can compute calculate correct do does for from get how i in is it "
      + "me my of on or own python should the this to use using vs what when which why with without "
      + "work works you your").split(" "));

  let index; // loaded when the first letter is typed

  async function load() {
    if (location.protocol === "file:") {
      throw new Error("Search needs a server: run `nox -s live` and open its address.");
    }
    const pagefind = await import(new URL(form.dataset.pagefind, document.baseURI));
    await pagefind.options({ excerptLength: 18 });
    await pagefind.init();
    return pagefind;
  }

  function entry(page) {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = page.url;
    link.textContent = page.meta.title.replace(/\s*[#¶]\s*$/, "");
    const excerpt = document.createElement("p");
    excerpt.innerHTML = page.excerpt; // Pagefind escapes it, but for its <mark>s
    item.append(link, excerpt);
    return item;
  }

  function counting(question) {
    const all = question.toLowerCase().split(/[^\p{L}\p{N}._-]+/u).filter(Boolean);
    const telling = all.filter((word) => !EMPTY.has(word));
    return telling.length ? telling : all;
  }

  // How many of the words that count are in the title of a page or among its aliases.
  function told(page, question) {
    const names = `${page.meta.title} ${page.meta.aliases ?? ""}`.toLowerCase();
    return counting(question).filter((word) => names.includes(word)).length;
  }

  // Pages with all the words that count, best first; then those with some of them.
  async function ranked(pagefind, question) {
    const words = counting(question);
    const together = await pagefind.search(words.join(" "));
    const pages = new Map(together.results.map((result) => [result.id, result]));
    if (words.length > 1 && pages.size < LIMIT) {
      const each = await Promise.all(words.map((word) => pagefind.search(word)));
      const sums = new Map(); // a page's share of the best score, summed over the words
      for (const { results } of each) {
        for (const result of results) {
          const { sum = 0 } = sums.get(result.id) ?? {};
          sums.set(result.id, { result, sum: sum + result.score / results[0].score });
        }
      }
      const others = [...sums.values()].sort((a, b) => b.sum - a.sum);
      for (const { result } of others) pages.set(result.id, pages.get(result.id) ?? result);
    }
    return [...pages.values()];
  }

  async function search() {
    const words = input.value.trim();
    if (!words) {
      list.hidden = true;
      status.textContent = "";
      return;
    }
    try {
      index ??= load();
      const pagefind = await index;
      const latest = await pagefind.debouncedSearch(words, {}, 120);
      if (latest === null) return; // something newer was typed
      const found = { results: await ranked(pagefind, words) };
      const first = await Promise.all(found.results.slice(0, LIMIT).map((r) => r.data()));
      const pages = first.sort((a, b) => told(b, words) - told(a, words));
      if (input.value.trim() !== words) return;
      list.replaceChildren(...pages.map(entry));
      list.hidden = pages.length === 0;
      const count = found.results.length;
      status.textContent =
        count === 0 ? `Nothing found for “${words}”.`
        : `${count} ${count === 1 ? "page" : "pages"} for “${words}”`
          + (count > LIMIT ? `, the first ${LIMIT} shown.` : ".");
    } catch (error) {
      index = undefined;
      status.textContent = error.message;
    }
  }

  function open(event) {
    event.preventDefault();
    if (dialog && !dialog.open) dialog.showModal();
    input.focus();
    input.select();
  }

  input.addEventListener("input", search);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  for (const opener of document.querySelectorAll("[data-search-open]")) {
    opener.addEventListener("click", open);
  }
  form.querySelector("[data-search-close]")?.addEventListener("click", () => dialog.close());
  dialog?.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    const asked = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k";
    if (asked || (event.key === "/" && !typing)) open(event);
  });

  if (!dialog) {
    input.value = new URLSearchParams(location.search).get("q") ?? "";
    search();
  }
})();
