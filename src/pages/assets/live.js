// Watches a copy being made: says how many are before it, and shows it the moment it is there. Without this script the
// page reloads itself.
(() => {
  const frame = document.querySelector("[data-events]");
  if (!frame || !window.EventSource) return;
  const { events, waiting, next } = frame.dataset;
  const meaning = document.getElementById("meaning");
  const source = new EventSource(events);
  source.addEventListener("message", (event) => {
    const { state, place_in_queue: place } = JSON.parse(event.data);
    if (state === "queued" || state === "sealing") {
      meaning.textContent = place > 0 ? waiting.replace("{}", place) : next;
    } else {
      source.close();
      location.reload();
    }
  });
})();
