// npm: reconnecting-eventsource, around the EventSource of npm's eventsource.
import { EventSource } from "eventsource";
import reconnecting from "reconnecting-eventsource";
import { follow, url } from "./report.mjs";

const ReconnectingEventSource = reconnecting.default ?? reconnecting;
follow(new ReconnectingEventSource(url, { eventSourceClass: EventSource }));
