"""PyPI: httpx-sse, which leaves it to its user to connect again."""

import time

import httpx
from httpx_sse import connect_sse

from report import tell, url

last_event_id = ""
# Three keep-alives missed: the connection is dead. Its default, 5 s, is too short for a quiet stream.
timeout = httpx.Timeout(5, read=45)
with httpx.Client(timeout=timeout) as client:
    while True:
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        try:
            with connect_sse(client, "GET", url, headers=headers) as source:
                source.response.raise_for_status()
                tell(open=True)
                for event in source.iter_sse():
                    last_event_id = event.id or last_event_id
                    tell(id=event.id, event=event.event, data=event.data)
        except httpx.HTTPError as error:
            tell(note=repr(error))
        time.sleep(0.5)
