"""Writing shards, each whole, by threads of one process."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from dcase_system.audio.store.form import Form, decode_clip
from dcase_system.audio.store.locks import claimed
from dcase_system.audio.store.plan import status_of
from dcase_system.audio.store.shards import Shard
from dcase_system.errors import InputError
from dcase_system.files import replacing
from dcase_system.places import Place, UnreachableError

_LOG = logging.getLogger(__name__)
_CHUNK_BYTES = 16 * 2**20  # written at a time, the next ones decoded meanwhile


@dataclass(frozen=True)
class Fault:
    """A clip that cannot be stored: its line in the plan, and why."""

    line: str
    message: str


@dataclass(frozen=True)
class Writer:
    """What one process needs to write shards.

    Attributes:
        root: folder of the corpus.
        form: of the store.
        threads: that decode.
    """

    root: Place
    form: Form
    threads: int

    def write(
        self, shards: Iterable[Shard], on_clips: Callable[[int], None], *, wait: bool
    ) -> list[Fault]:
        """Writes those that are not done, and leaves out those that other processes write.

        Args:
            shards: to go through.
            on_clips: called with a number of clips whenever so many more are decoded, here or by
                another process.
            wait: whether to wait for the other processes, and to write what they have left.

        Returns:
            The faulty clips; the others of their shards are stored.

        Raises:
            UnreachableError: the storage of the clips does not answer.
            OSError: a shard cannot be written.
        """
        faults: list[Fault] = []
        with ThreadPoolExecutor(self.threads) as pool:
            for shard in shards:
                with claimed(shard.plan, wait=wait) as mine:
                    lines = shard.lines() if mine else []
                    if shard.is_done(len(lines), self.form.row_bytes):
                        on_clips(len(lines))
                    elif lines:
                        faults += self._write(shard, lines, pool, on_clips)
        return faults

    def _write(
        self,
        shard: Shard,
        lines: Sequence[str],
        pool: ThreadPoolExecutor,
        on_clips: Callable[[int], None],
    ) -> list[Fault]:
        faults: list[Fault] = []
        with replacing(shard.rows) as temporary:
            with temporary.open("wb") as stream:
                for decoded in self._decoded(lines, pool):
                    rows = [row for row in decoded if not isinstance(row, Fault)]
                    faults += [fault for fault in decoded if isinstance(fault, Fault)]
                    stream.write(b"".join(row.tobytes() for row in rows))
                    stream.flush()
                    os.fsync(stream.fileno())  # while the next ones are decoded
                    on_clips(len(decoded))
            if faults:
                faulty = {fault.line for fault in faults}
                shard.write_plan([line for line in lines if line not in faulty])
        if len(faults) == len(lines):
            shard.remove()
        return faults

    def _decoded(
        self, lines: Sequence[str], pool: ThreadPoolExecutor
    ) -> Iterator[list[np.ndarray | Fault]]:
        size = max(1, _CHUNK_BYTES // self.form.row_bytes)
        chunks = [lines[at : at + size] for at in range(0, len(lines), size)]
        decoding = pool.map(self._row, chunks[0])
        for following in [*chunks[1:], []]:
            decoded = list(decoding)
            decoding = pool.map(self._row, following)  # while these are written
            yield decoded

    def _row(self, line: str) -> np.ndarray | Fault:
        name, *planned = line.rsplit("\t", 2)
        path = self.root / name
        try:
            _check_unchanged(path, "\t".join(planned))
            return decode_clip(path, self.form)
        except UnreachableError:
            raise  # it would be the fault of every clip, each after a wait
        except InputError as error:
            return Fault(line, str(error))


def _check_unchanged(path: Place, planned: str) -> None:
    """Refuses a file that has changed since it was planned: its row would pass for the old one."""
    try:
        status = status_of(path)
    except OSError as error:
        raise InputError(f"audio file cannot be read ({error.strerror})", where=path) from error
    if status != planned:
        raise InputError(
            "clip has changed while the store was made",
            where=path,
            expected=f"size and time {planned!r}",
            received=repr(status),
        )
