"""A collector on loopback: answers as told, keeps what came, and judges every record by the wire format."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from monitor.collector.wire import Envelope, QueueIn, RecordIn

KEY = "hv_test_key"


@dataclass(frozen=True)
class Post:
    """One request as it came. raw_bytes: what travelled, compressed."""

    path: str
    headers: dict[str, str]
    raw_bytes: int
    document: Any

    @property
    def number(self) -> int:
        return len(self.document["records"])


@dataclass(frozen=True)
class Reply:
    """headers come besides the ones of every answer. document: None answers as a collector would."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    document: Any = None


Script = Callable[[Post], Reply]


class Collector:
    """What came. `answer` may be set at any time; without it everything is taken."""

    def __init__(self) -> None:
        self.answer: Script = lambda post: Reply()
        self.posts: list[Post] = []
        self.stored: dict[str, dict[str, Any]] = {}
        self.samples: list[dict[str, Any]] = []
        self.duplicates = 0
        self.arrived = threading.Condition()

    def wait_for(self, holds: Callable[[], bool], timeout_s: float = 10.0) -> None:
        """Returns once `holds()`, which is asked whenever something has arrived."""
        with self.arrived:
            assert self.arrived.wait_for(holds, timeout_s), f"not within {timeout_s} s"

    @property
    def records(self) -> list[dict[str, Any]]:
        """Stored records in the order they came, which is the order they were noted in."""
        with self.arrived:
            return list(self.stored.values())

    def take(self, post: Post) -> Reply:
        """Decides and stores, as one step. Raises for a record that the wire format does not allow."""
        with self.arrived:
            self.posts.append(post)
            reply = self.answer(post)
            if reply.status == 200 and reply.document is None:
                reply = Reply(200, reply.headers, self._stored(post))
            elif reply.status == 200 and isinstance(reply.document, dict) and "rejected" in reply.document:
                refused = {one["index"] for one in reply.document["rejected"]}
                self._keep(one for at, one in enumerate(post.document["records"]) if at not in refused)
            self.arrived.notify_all()
            return reply

    def _stored(self, post: Post) -> dict[str, Any]:
        raw = json.dumps(post.document)
        if post.path.endswith("/queues"):
            msgspec.json.decode(raw, type=list[QueueIn])
            self.samples.extend(post.document)
            return {"accepted": len(post.document), "duplicates": 0, "rejected": []}
        msgspec.json.decode(raw, type=Envelope)
        before = len(self.stored)
        self._keep(post.document["records"])
        accepted = len(self.stored) - before
        return {"accepted": accepted, "duplicates": post.number - accepted, "rejected": []}

    def _keep(self, records: Any) -> None:
        for record in records:
            named = {name for name in record if name not in RecordIn.__struct_fields__}
            assert not named, f"fields that the collector would overlook: {named}"
            self.stored.setdefault(record["record_id"], record)


@contextmanager
def collecting(port: int = 0) -> Iterator[tuple[Collector, str]]:
    """(collector, its address) while the block lasts."""
    collector = Collector()
    faults: list[BaseException] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            raw = self.rfile.read(length)
            if len(raw) < length:  # whoever sent it was killed meanwhile
                self.close_connection = True
                return
            try:
                document = json.loads(gzip.decompress(raw))
                reply = collector.take(Post(self.path, dict(self.headers), len(raw), document))
            except BaseException as exc:
                faults.append(exc)
                reply = Reply(422)
            answer = json.dumps(reply.document).encode()
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(answer)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield collector, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
    if faults:
        raise faults[0]
