// Chromium's own EventSource, in a page. The lines of report.mjs, kept for the test to fetch; `url` and `types` stand above.
window.lines = [];
const source = new EventSource(url);
source.onopen = () => lines.push({ open: true });
source.onerror = () => lines.push({ note: `error, state ${source.readyState}` });
for (const type of ["message", ...types]) {
  source.addEventListener(type, ({ lastEventId, type, data }) => lines.push({ id: lastEventId, event: type, data }));
}
