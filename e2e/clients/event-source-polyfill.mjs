// npm: event-source-polyfill. It continues with the query parameter lastEventId, and gives a connection up that is silent for
// 45 s.
import polyfill from "event-source-polyfill";
import { follow, url } from "./report.mjs";

follow(new polyfill.EventSourcePolyfill(url));
