"""Serves a page on this machine, because most browsers deny local files the microphone."""

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from dcase_system.core.errors import InputError

HOST = "127.0.0.1"  # browsers treat this host as secure, which the microphone requires


class PageServer(ThreadingHTTPServer):
    """Serves one page at `/`, and nothing else, to this machine only.

    Args:
        page: The HTML file; read again for each request.
        port: Port to listen on; 0 picks a free one.

    Raises:
        InputError: The port is not available.
    """

    def __init__(self, page: Path, port: int):
        self.page = page
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            raise InputError(
                f"cannot listen on port {port} ({error})", where="--port", expected="a free port"
            ) from error

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: PageServer

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/":
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        content = self.server.page.read_bytes()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Logs nothing."""
