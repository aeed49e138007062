// Betters the console: keeps what is live up to date, and shows how far an import is. Without it pages are loaded anew.
(() => {
  // Whoever looks away for ten minutes is not kept logged in by this page.
  const patience = 10 * 60 * 1000;
  let touched = Date.now();
  for (const kind of ["pointerdown", "keydown", "scroll"]) addEventListener(kind, () => { touched = Date.now(); }, { passive: true });

  const refresh = async () => {
    const live = document.querySelector("[data-live]");
    if (!live) return;
    const seconds = Number(live.dataset.live);
    if (Date.now() - touched > patience) {
      const state = live.querySelector("[data-state]");
      if (state) state.textContent = ` ${live.dataset.stopped}`;
      return;
    }
    if (!document.hidden && !live.contains(document.activeElement)) {
      try {
        const answer = await fetch(location.href, { headers: { accept: "text/html" } });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const main = page.querySelector("[data-live]");
        if (answer.redirected || !main) return location.reload();
        if (!live.contains(document.activeElement)) {
          const open = [...live.querySelectorAll("details")].map((it) => it.open);
          main.querySelectorAll("details").forEach((it, at) => { it.open = open[at] || it.open; });
          live.replaceWith(document.adoptNode(main));
        }
      } catch { /* The network is away: the next round may find it. */ }
    }
    setTimeout(refresh, seconds * 1000);
  };
  const live = document.querySelector("[data-live]");
  if (live) setTimeout(refresh, Number(live.dataset.live) * 1000);

  const form = document.querySelector("form[data-import]");
  if (!form) return;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { import: address, query, words, failed } = form.dataset;
    const [file] = form.elements.file.files;
    const bar = document.getElementById("progress");
    const said = document.getElementById("progress-words");
    const sent = new FormData(form);
    form.querySelector(".progress").hidden = false;
    form.elements.file.disabled = true;
    form.querySelector("button").disabled = true;
    let going = true;
    const look = async () => {
      if (!going) return;
      touched = Date.now();
      const answer = await fetch(`${address}/progress${query}`).catch(() => null);
      if (answer?.ok) {
        const { bytes, records, refused } = await answer.json();
        bar.value = file.size ? Math.min(1000, (bytes * 1000) / file.size) : 1000;
        said.textContent = words.replace("{records}", records).replace("{refused}", refused);
      }
      setTimeout(look, 500);
    };
    const upload = new XMLHttpRequest();
    upload.open("POST", form.action);
    upload.addEventListener("load", () => {
      going = false;
      if (upload.responseURL.includes(address)) location.assign(address + query);
      else said.textContent = failed;
    });
    upload.addEventListener("error", () => { going = false; said.textContent = failed; });
    upload.send(sent);
    look();
  });
})();
