// npm: undici, the HTTP client inside Node.
import { EventSource } from "undici";
import { follow, url } from "./report.mjs";

follow(new EventSource(url));
