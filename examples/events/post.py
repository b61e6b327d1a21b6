"""post.py URL COUNT RATE: posts events, RATE a second, each again until it is acknowledged."""

import http.client
import json
import os
import sys
import time
import urllib.parse
import uuid
from concurrent.futures import ThreadPoolExecutor

BEGIN = 1_441_843_200_000  # 2015-09-10T00:00Z
WORKERS = 4
PATIENCE_SECONDS = 120

url, count, rate = urllib.parse.urlsplit(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
started = time.monotonic()


def event(i):
    return {
        "id": str(uuid.UUID(int=1_000_000 + i)),
        "ad_id": str(uuid.UUID(int=i % 7)),
        "campaign": str(uuid.UUID(int=1 + i % 5)),
        "ts": BEGIN + 100 * i,
        "type": "click" if i % 3 == 0 else "view",
    }


def accepted(connection, i):
    try:
        connection.request("POST", url.path, json.dumps(event(i)), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        return answer.status == 202
    except (OSError, http.client.HTTPException):
        connection.close()  # The next request opens it again.
        return False


def post(worker):
    connection = http.client.HTTPConnection(url.netloc, timeout=60)
    for i in range(worker, count, WORKERS):
        time.sleep(max(0, started + i / rate - time.monotonic()))
        since = time.monotonic()
        while not accepted(connection, i):
            if time.monotonic() > since + PATIENCE_SECONDS:
                print(f"{sys.argv[1]} accepts nothing", file=sys.stderr, flush=True)
                os._exit(1)
            time.sleep(0.2)
        if (i + 1) % 1000 == 0:
            print(f"   posted {i + 1} of {count}", flush=True)


with ThreadPoolExecutor(WORKERS) as workers:
    try:
        list(workers.map(post, range(WORKERS)))
    except KeyboardInterrupt:
        os._exit(130)  # Without waiting for who posts again and again.
