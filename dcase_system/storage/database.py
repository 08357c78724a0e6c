"""A search's trials in a PostgreSQL database, which machines without a common disk share.

The driver, psycopg2, is optional (`requirements-cluster.txt`): it is imported when a database is
named, not before.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, RDBStorage

from dcase_system.errors import InputError

SCHEMES = ("postgresql://", "postgres://")
_URL = "postgresql://user@host/database"
_CONNECT_SECONDS = 10
_POLL_SECONDS = 0.05
# A machine that was switched off says no farewell: within a minute the server asks whether it is
# still there and lets go of its locks. A connection is idle as long as a candidate trains.
_OF_SESSION = {
    "tcp_keepalives_idle": 30,
    "tcp_keepalives_interval": 10,
    "tcp_keepalives_count": 3,
    "idle_session_timeout": 0,
}


class Database:
    """A PostgreSQL database; its locks are advisory ones, which one connection holds.

    When the connection goes, the server frees the locks. So whatever is written with a lock held
    asks that connection first, and a process that has lost its place writes nothing more.
    """

    def __init__(self, url: str):
        """Reads the address; nothing is connected yet.

        Raises:
            InputError: the driver is not installed, or the address is wrong or holds a password.
        """
        self._driver, self._parameters = _driver(), _parameters(url)
        self._connection: Any = None

    def __str__(self) -> str:
        given = self._parameters
        address = f"{given.get('host', 'localhost')}:{given.get('port', 5432)}"
        user = f"{given['user']}@" if "user" in given else ""
        return f"postgresql://{user}{address}/{given.get('dbname', '')}"

    @contextmanager
    def connected(self) -> Iterator[BaseStorage]:
        """The trials in the database; its tables are made if absent.

        Raises:
            InputError: it cannot be reached or used, or the connection is lost within the block.
        """
        from sqlalchemy.exc import SQLAlchemyError

        what, storage = "database cannot be used", None
        try:
            self._connection = self._connect()
            self._connection.autocommit = True
            with self.lock("tables"):  # two that make them at once would stumble over each other
                storage = RDBStorage(
                    "postgresql+psycopg2://", engine_kwargs={"creator": self._connect}
                )
            what = "connection to the database was lost; the same command goes on"
            yield storage
        except (self._driver.Error, SQLAlchemyError, StorageInternalError) as error:
            raise InputError(f"{what} ({self._reason(error)})", where=self) from error
        except RuntimeError as error:
            if storage is not None:
                raise
            raise InputError(f"{what} ({error})", where=self) from error  # tables of another Optuna
        finally:
            if storage is not None:
                storage.engine.dispose()
            if self._connection is not None:
                self._connection.close()

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Holds a lock, and waits for it."""
        while True:
            with self.try_lock(name) as free:
                if free:
                    yield
                    return
            time.sleep(_POLL_SECONDS)  # the driver's own waiting would not hear Ctrl-C

    @contextmanager
    def try_lock(self, name: str) -> Iterator[bool]:
        """Holds a lock if it is free; whether it was."""
        digest = hashlib.sha256(f"dcase_system {name}".encode()).digest()
        key = int.from_bytes(digest[:8], "big", signed=True)
        free = self._ask("SELECT pg_try_advisory_lock(%s)", key)
        try:
            yield free
        finally:
            if free and not self._connection.closed:
                self._ask("SELECT pg_advisory_unlock(%s)", key)

    def _ask(self, statement: str, key: int) -> Any:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, (key,))
            return cursor.fetchone()[0]

    def _connect(self) -> Any:
        return self._driver.connect(**self._parameters)

    def _reason(self, error: BaseException) -> str:
        """What the server says, not what the layers above it make of that."""
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, self._driver.Error):
            cause = getattr(cause, "orig", None) or cause.__cause__
        return " ".join(str(cause or error).split()) or "it said nothing"


def _driver() -> Any:
    try:
        import psycopg2
        import sqlalchemy  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"a database needs packages that are not installed ({error})",
            where="storage",
            expected="pip install -r requirements-cluster.txt",
        ) from error
    return psycopg2


def _parameters(url: str) -> dict[str, Any]:
    """The parts of an address, with our own settings of a session.

    Raises:
        InputError: it is no address, or it holds a password; neither is repeated in the message.
    """
    from psycopg2 import ProgrammingError
    from psycopg2.extensions import parse_dsn

    try:
        given = parse_dsn(url)
    except ProgrammingError:
        raise InputError("address cannot be read", where="storage", expected=_URL) from None
    if "password" in given:
        raise InputError(
            "a password on a command line is seen by everybody and kept in config.json",
            where="storage",
            expected=f"{_URL}, and the password in ~/.pgpass or PGPASSWORD",
        )
    if "dbname" not in given:
        raise InputError("address names no database", where="storage", expected=_URL)
    own = " ".join(f"-c {name}={value}" for name, value in _OF_SESSION.items())
    given["options"] = f"{given.get('options', '')} {own}".strip()
    return {"connect_timeout": _CONNECT_SECONDS, **given}
