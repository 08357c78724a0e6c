"""A search's trials in a PostgreSQL database, which machines without a common disk share.

The driver, psycopg 3, is optional (`requirements-cluster.txt`): it is imported when a database is
named, not before.
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

_BEGUN = "begun"  # attribute of a trial that has a heartbeat: its own number
HEARTBEAT_SECONDS = 10
GRACE_SECONDS = 60  # without a heartbeat, by the server's clock; then the process is taken for dead
_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
_URL = "postgresql://user@host/database"
_CONNECT_SECONDS = 10
_RETRY_SECONDS = (0.1, 0.3, 1.0)


class Database:
    """A PostgreSQL database; Optuna's heartbeats tell which trials dead processes have left."""

    def __init__(self, url: str):
        """Reads the address; nothing is connected yet.

        Raises:
            InputError: the driver is not installed, or the address is wrong or holds a password.
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
        """The trials in the database; its tables are made if absent.

        Raises:
            InputError: it cannot be reached or used, or the connection is lost within the block.
        """
        from sqlalchemy.exc import SQLAlchemyError

        what, storage = "database cannot be used", None
        try:
            storage = self._opened()
            what = "connection to the database was lost; the same command goes on"
            yield storage
        except (SQLAlchemyError, StorageInternalError, UnboundLocalError) as error:
            # The last is what Optuna 5.0.0 raises on the way from a connection that was lost.
            reason = _reason(error)
            if reason is None:
                raise
            raise InputError(f"{what} ({reason})", where=self) from error
        except RuntimeError as error:
            if storage is not None:
                raise
            raise InputError(f"{what} ({error})", where=self) from error  # tables of another Optuna
        finally:
            if storage is not None:
                storage.engine.dispose()

    def holding(self, study: str, trial: Trial) -> AbstractContextManager[None]:
        """Nothing: `optimize` has a thread that sends heartbeats."""
        return nullcontext()

    def is_left(self, study: str, trial: FrozenTrial) -> bool:
        """Whether the process of a running trial was killed before its first heartbeat.

        Optuna itself finds those whose heartbeats have stopped, and no others.
        """
        if trial.user_attrs.get(_BEGUN) == trial.number:
            return False
        seen = self._not_begun.setdefault((study, trial.number), time.monotonic())
        return time.monotonic() - seen > GRACE_SECONDS

    def _opened(self) -> RDBStorage:
        from sqlalchemy.exc import IntegrityError, ProgrammingError

        for seconds in _RETRY_SECONDS:
            with suppress(IntegrityError, ProgrammingError):  # somebody else makes the tables now
                return self._open()
            time.sleep(seconds)
        return self._open()

    def _open(self) -> RDBStorage:
        return _Beating(
            self._url.render_as_string(hide_password=False),
            {
                "connect_args": {"connect_timeout": _CONNECT_SECONDS},
                # Idle as long as a candidate trains, a connection may be closed on the way.
                "pool_pre_ping": True,
            },
            heartbeat_interval=HEARTBEAT_SECONDS,
            grace_period=GRACE_SECONDS,
        )


class _Beating(RDBStorage):
    """Says of a trial that it has a heartbeat, and bears with a connection that is lost.

    The thread that sends them could but write a traceback; the search itself notices.
    """

    def record_heartbeat(self, trial_id: int) -> None:
        with suppress(StorageInternalError, UpdateFinishedTrialError):
            super().record_heartbeat(trial_id)
            self.set_trial_user_attr(trial_id, _BEGUN, self.get_trial_number_from_id(trial_id))


def is_database(storage: str) -> bool:
    """Whether a place is a PostgreSQL database, by its scheme."""
    return storage.partition("://")[0] in _SCHEMES and "://" in storage


def _read(url: str) -> Any:
    """An address, for SQLAlchemy with psycopg.

    Raises:
        InputError: it is no address, or it holds a password; neither is repeated in the message.
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
    """What the server says, not what the layers above it make of that; None if it is not asked."""
    from sqlalchemy.exc import SQLAlchemyError

    while error is not None and not isinstance(error, SQLAlchemyError):
        error = error.__cause__ or error.__context__
    if error is None:
        return None
    return " ".join(str(getattr(error, "orig", None) or error).split()) or "it said nothing"
