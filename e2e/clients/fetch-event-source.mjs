// npm: @microsoft/fetch-event-source, which continues where its callbacks throw or return, as its README shows.
import client from "@microsoft/fetch-event-source";
import { tell, url } from "./report.mjs";

// It is written for a page: it asks whether that is hidden, and takes its timers from `window`.
globalThis.window = globalThis;
globalThis.document = { hidden: false, addEventListener() {}, removeEventListener() {} };

await client.fetchEventSource(url, {
  async onopen(response) {
    if (!response.ok) throw new Error(`status ${response.status}`);
    tell({ open: true });
  },
  onmessage({ id, event, data }) {
    tell({ id, event: event || "message", data }); // it has no default type
  },
  onclose() {
    throw new Error("the server has ended the stream"); // for it to connect again
  },
  onerror(error) {
    tell({ note: String(error) }); // and returns: it connects again after a second
  },
});
