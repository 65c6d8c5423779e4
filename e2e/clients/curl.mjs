// curl, with the smallest reader that can follow a stream, and can come back.
import { spawn } from "node:child_process";
import { tell, url } from "./report.mjs";

let lastEventId = "";

function connect() {
  const resume = lastEventId ? ["--header", `Last-Event-ID: ${lastEventId}`] : [];
  const curl = spawn("curl", ["--silent", "--show-error", "--no-buffer", "--include", ...resume, url]);
  const read = reader();
  let text = "";
  curl.stdout.setEncoding("utf8").on("data", (chunk) => {
    const lines = (text + chunk).split("\n");
    text = lines.pop();
    lines.forEach(read);
  });
  curl.stderr.setEncoding("utf8").on("data", (note) => tell({ note }));
  curl.on("close", () => setTimeout(connect, 500));
}

/** Takes one line after the other: those of the head, which end in CR LF, then those of the stream. */
function reader() {
  let inHead = true;
  let event = {};
  return (line) => {
    if (inHead) {
      inHead = line !== "\r";
      if (line.startsWith("HTTP/1.1 200")) tell({ open: true });
      return;
    }
    if (line === "") {
      if (event.id !== undefined) lastEventId = event.id;
      if (event.data) tell({ id: lastEventId, event: event.event ?? "message", data: event.data.join("\n") });
      event = {};
      return;
    }
    const [, name, value] = line.match(/^([^:]*):? ?(.*)$/s);
    if (name === "data") (event.data ??= []).push(value);
    else event[name] = value;
  };
}

connect();
