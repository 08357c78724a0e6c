"""Stores a search's trials in PostgreSQL, for machines without a common disk.

The driver, psycopg 3, is optional (`requirements-cluster.txt`) and imported only when a database is
named.
"""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any

from optuna import Trial
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import FrozenTrial

from dcase_system.core.errors import InputError

_BEGUN = "begun"  # trial attribute, set at the first heartbeat to the trial's own number
HEARTBEAT_SECONDS = 10
GRACE_SECONDS = 60  # a process without a heartbeat for this long, by the server's clock, is dead
_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
_URL = "postgresql://user@host/database"
_CONNECT_SECONDS = 10
_RETRY_SECONDS = (0.1, 0.3, 1.0)


class Database:
    """A PostgreSQL database; Optuna's heartbeats show which trials belong to dead workers."""

    def __init__(self, url: str):
        """Parses the address; does not connect yet.

        Raises:
            InputError: The driver is not installed, or the address is invalid or holds a password.
        """
        self._url = _read(url)
        self._not_begun: dict[tuple[str, int], float] = {}

    def __str__(self) -> str:
        given = self._url
        user = f"{given.username}@" if given.username else ""
        address = f"{given.host or 'localhost'}:{given.port or 5432}"
        return f"postgresql://{user}{address}/{given.database}"

    @contextmanager
    def connected(self) -> Iterator[BaseStorage]:
        """Opens the trials in the database; creates missing tables.

        Raises:
            InputError: The database cannot be reached or used, or the connection is lost within the
                block.
        """
        from sqlalchemy.exc import SQLAlchemyError

        what, storage = "database cannot be used", None
        try:
            storage = self._opened()
            what = "connection to the database was lost; run the same command again to resume"
            yield storage
        except (SQLAlchemyError, StorageInternalError, UnboundLocalError) as error:
            # Optuna 5.0.0 raises UnboundLocalError when the connection is lost.
            reason = _reason(error)
            if reason is None:
                raise
            raise InputError(f"{what} ({reason})", where=self) from error
        except RuntimeError as error:
            if storage is not None:
                raise
            # The tables are of another version of Optuna.
            raise InputError(f"{what} ({error})", where=self) from error
        finally:
            if storage is not None:
                storage.engine.dispose()

    def holding(self, study: str, trial: Trial) -> AbstractContextManager[None]:
        """Does nothing: a thread of `optimize` sends the heartbeats."""
        return nullcontext()

    def left(self, study: str, trial: FrozenTrial) -> AbstractContextManager[bool]:
        """Says whether the worker of a running trial was killed before its first heartbeat.

        Optuna itself finds only the trials whose heartbeats have stopped.
        """
        if trial.user_attrs.get(_BEGUN) == trial.number:
            return nullcontext(False)
        seen = self._not_begun.setdefault((study, trial.number), time.monotonic())
        return nullcontext(time.monotonic() - seen > GRACE_SECONDS)

    def _opened(self) -> RDBStorage:
        from sqlalchemy.exc import IntegrityError, ProgrammingError

        for seconds in _RETRY_SECONDS:
            with suppress(IntegrityError, ProgrammingError):  # another worker is making the tables
                return self._open()
            time.sleep(seconds)
        return self._open()

    def _open(self) -> RDBStorage:
        return _Beating(
            self._url.render_as_string(hide_password=False),
            {
                "connect_args": {"connect_timeout": _CONNECT_SECONDS},
                # A connection stays idle while a candidate trains, and may be closed meanwhile.
                "pool_pre_ping": True,
            },
            heartbeat_interval=HEARTBEAT_SECONDS,
            grace_period=GRACE_SECONDS,
        )


class _Beating(RDBStorage):
    """Records that a trial has had a heartbeat, and tolerates a lost connection.

    The heartbeat thread could only print a traceback; the search itself notices the loss.
    """

    def record_heartbeat(self, trial_id: int) -> None:
        with suppress(StorageInternalError, UpdateFinishedTrialError):
            super().record_heartbeat(trial_id)
            self.set_trial_user_attr(trial_id, _BEGUN, self.get_trial_number_from_id(trial_id))


def is_database(storage: str) -> bool:
    """Whether a storage is a PostgreSQL database, by its URL scheme."""
    return storage.partition("://")[0] in _SCHEMES and "://" in storage


def _read(url: str) -> Any:
    """Parses an address for SQLAlchemy with psycopg.

    Raises:
        InputError: The address is invalid or holds a password; the message repeats neither.
    """
    try:
        import psycopg  # noqa: F401
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError
    except ImportError as error:
        raise InputError(
            f"a database needs packages that are not installed ({error})",
            where="storage",
            expected="pip install -r requirements-cluster.txt",
        ) from error
    try:
        given = make_url(url).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError):
        raise InputError("address cannot be read", where="storage", expected=_URL) from None
    if given.password is not None or "password" in given.query:
        raise InputError(
            "a password on a command line is seen by everybody and kept in config.json",
            where="storage",
            expected=f"{_URL}, and the password in ~/.pgpass or PGPASSWORD",
        )
    if not given.database:
        raise InputError("address names no database", where="storage", expected=_URL)
    return given


def _reason(error: BaseException | None) -> str | None:
    """The server's own message, not that of the layers above; None for any other error."""
    from sqlalchemy.exc import SQLAlchemyError

    while error is not None and not isinstance(error, SQLAlchemyError):
        error = error.__cause__ or error.__context__
    if error is None:
        return None
    return " ".join(str(getattr(error, "orig", None) or error).split()) or "no message"
