"""PyPI: sseclient-py, over requests, which leaves it to its user to connect again."""

import time

import requests
import sseclient

from report import tell, url

last_event_id = None
while True:
    headers = {"Accept": "text/event-stream"}
    if last_event_id:
        headers["Last-Event-ID"] = last_event_id
    try:
        # Three keep-alives missed: the connection is dead.
        response = requests.get(url, stream=True, headers=headers, timeout=(5, 45))
        response.raise_for_status()
        tell(open=True)
        for event in sseclient.SSEClient(response).events():
            last_event_id = event.id or last_event_id
            tell(id=event.id, event=event.event, data=event.data)
    except requests.RequestException as error:
        tell(note=repr(error))
    time.sleep(0.5)
