"""Archives to download and unpack, and a local server with configurable faults."""

import io
import re
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def zipped(members: dict[str, bytes], modes: dict[str, int] | None = None) -> bytes:
    """A zip archive of these members; `modes` are Unix file types and permissions."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (modes or {}).get(name, 0o100644) << 16
            archive.writestr(info, content)
    return buffer.getvalue()


class ArchiveServer(ThreadingHTTPServer):
    """Serves `files` by name.

    Attributes:
        files: content of each file.
        requests: (name, Range header or None) of each request so far.
        resumable: whether Range is understood.
        cut_after: how many bytes each of the coming answers may have before the connection is
            dropped; answers after these are whole.
        stall: if set, a cut answer waits for this event instead of dropping the connection.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.resumable = True
        self.cut_after: list[int] = []
        self.stall: threading.Event | None = None

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


class _Handler(BaseHTTPRequestHandler):
    server: ArchiveServer

    def do_GET(self) -> None:
        name = self.path.strip("/").split("?")[0]
        wanted = self.headers.get("Range")
        self.server.requests.append((name, wanted))
        if name not in self.server.files:
            self.send_error(404)
            return
        content = self.server.files[name]
        start = 0
        if wanted and self.server.resumable:
            found = re.fullmatch(r"bytes=(\d+)-", wanted)
            assert found, wanted
            start = int(found[1])
            if start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if self.server.cut_after:
            self.wfile.write(content[start : start + self.server.cut_after.pop(0)])
            if self.server.stall:
                self.wfile.flush()
                self.server.stall.wait(60)
        else:
            self.wfile.write(content[start:])

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[ArchiveServer]:
    server = ArchiveServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        if server.stall:
            server.stall.set()
        server.shutdown()
        thread.join()
        server.server_close()
