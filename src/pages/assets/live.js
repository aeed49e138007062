// Watches a copy being made, and shows it the moment it is there. Without this script the page reloads itself.
(() => {
  const frame = document.querySelector("[data-events]");
  if (!frame || !window.EventSource) return;
  const source = new EventSource(frame.dataset.events);
  source.addEventListener("annotation", (event) => {
    const annotation = JSON.parse(event.data);
    if (annotation.state !== "queued" && annotation.state !== "sealing") {
      source.close();
      location.reload();
    }
  });
})();
