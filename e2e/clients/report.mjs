// What the drivers in JavaScript share. A driver is started with the address of a stream and the event types to listen
// for, and prints what its client tells it, one JSON object to the line:
//
//   {"open":true}                                     connected, or connected again
//   {"id":"7","event":"message","data":"hello"}       an event
//   {"note":"..."}                                    anything else, for whoever reads of a failure
//
// It goes on until its standard input ends.

export const [url, ...types] = process.argv.slice(2);

export function tell(line) {
  console.log(JSON.stringify(line));
}

/** Tells of everything that an `EventSource`, or what looks like one, gives. */
export function follow(source) {
  source.onopen = () => tell({ open: true });
  source.onerror = (event) => tell({ note: `error ${event.message ?? ""}, state ${source.readyState}` });
  for (const type of ["message", ...types]) {
    source.addEventListener(type, (event) => tell({ id: event.lastEventId, event: event.type, data: event.data }));
  }
}

process.stdin.on("end", () => process.exit()).resume();
