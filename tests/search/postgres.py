"""A PostgreSQL server for one test, on a free local port."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PROGRAMS = ("initdb", "postgres", "createdb", "pg_isready")
USER, PASSWORD = "searcher", "kept-secret"


def binaries() -> Path | None:
    """The folder of PostgreSQL's programs; Debian's are not on the path."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((one for one in folders if all((one / name).exists() for name in _PROGRAMS)), None)


def _programs() -> Path:
    programs = binaries()
    assert programs is not None
    return programs


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Server:
    """A server with a user who needs a password.

    Attributes:
        folder: of its data.
        port: on 127.0.0.1.
        as_user: what makes a process that of a user who is not root, which PostgreSQL demands.
    """

    folder: Path
    port: int
    as_user: dict[str, Any]
    process: subprocess.Popen | None = None

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        programs = _programs()
        given = {"port": self.port, "listen_addresses": "127.0.0.1", "fsync": "off"}
        given["unix_socket_directories"] = ""
        options = [text for name, value in given.items() for text in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                [programs / "postgres", "-D", self.folder / "data", *options],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **self.as_user,
            )
        ready = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        end = time.monotonic() + 60
        while subprocess.run(ready).returncode != 0:
            assert self.process.poll() is None and time.monotonic() < end
            time.sleep(0.1)

    def stop(self) -> None:
        """Stops at once, without closing connections."""
        assert self.process is not None
        self.process.send_signal(3)
        self.process.wait(60)

    def create(self, database: str) -> str:
        """Creates a database and returns its address."""
        programs = _programs()
        host = ["-h", "127.0.0.1", "-p", str(self.port), "-U", USER]
        environment = {**os.environ, "PGPASSWORD": PASSWORD}
        subprocess.run([programs / "createdb", *host, database], check=True, env=environment)
        return self.url(database)


@contextmanager
def server() -> Iterator[Server]:
    """Runs a server during the block."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    as_user: dict[str, Any] = {}
    if os.getuid() == 0:
        other = pwd.getpwnam("postgres")
        as_user = {"user": other.pw_uid, "group": other.pw_gid, "extra_groups": []}
        os.chown(folder, other.pw_uid, other.pw_gid)
    (folder / "password").write_text(PASSWORD)
    (folder / "password").chmod(0o644)
    given = ["-U", USER, "-A", "scram-sha-256", f"--pwfile={folder / 'password'}", "--no-sync"]
    started = Server(folder, free_port(), as_user)
    try:
        subprocess.run(
            [programs / "initdb", "-D", folder / "data", *given],
            check=True,
            capture_output=True,
            cwd=folder,
            **as_user,
        )
        started.start()
        yield started
    finally:
        if started.process is not None:
            started.stop()
        shutil.rmtree(folder, ignore_errors=True)
