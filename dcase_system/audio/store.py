"""The waveform store: every clip decoded and resampled once, int16, memory-mapped.

A store is a folder with `waveforms.int16` (rows of equal length, one a clip) and `index.tsv`, whose
line i says from which file, of what size and modification time, row i was made. Rows are appended
first and their index lines after them, so that an interrupted ingest goes on where it stopped, only
new or changed files are decoded, and the nested splits of a corpus share one store.
"""

import logging
import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dcase_system.arrays import check_mapped
from dcase_system.audio.decode import read_audio, resample
from dcase_system.errors import InputError
from dcase_system.files import fingerprint, locked, read_json, write_json

_LOG = logging.getLogger(__name__)
_VERSION = 2
_CHUNK_CLIPS = 256  # written at a time, the next ones decoded meanwhile: what an interrupt loses
_FULL_SCALE = 2**15
_MONO_FORM = {"exact": True, "channels": 1, "copy_mono": False}  # where a store says nothing
_SHORTEST_SECONDS = 0.032  # a frame of PANNs' front end


@dataclass(frozen=True)
class Waveforms:
    """Some rows of a store, in the order of the clips they were asked for.

    Attributes:
        samples: memory map of the whole store, int16, (rows, clip samples), for a store of several
            channels (rows, clip samples, channels).
        rows: row of each clip.
        key: changes when one of the files that were asked for does.
    """

    samples: np.ndarray
    rows: np.ndarray
    key: str

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one waveform."""
        return self.samples.shape[1:]

    def gather(self, positions: np.ndarray) -> np.ndarray:
        """Waveforms at these positions: float32, (positions, *shape), full scale = 1.

        Raises:
            InputError: the store has been truncated since it was mapped.
        """
        check_mapped(self.samples)
        return self.samples[self.rows[positions]].astype(np.float32) / _FULL_SCALE

    def take(self, positions: np.ndarray) -> "Waveforms":
        return Waveforms(self.samples, self.rows[positions], self.key)


def ingest(
    store: str | Path,
    root: str | Path,
    filenames: Sequence[str],
    *,
    sample_rate: int = 32_000,
    clip_seconds: float = 1.0,
    exact: bool = True,
    channels: int = 1,
    copy_mono: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> Waveforms:
    """Brings clips into the store, where they are not in it yet, and maps them.

    Args:
        store: folder of the store; made if absent.
        root: folder of the corpus.
        filenames: clips below `root`.
        sample_rate: rate of the stored waveforms in Hz.
        clip_seconds: length that every clip must have.
        exact: whether clips must have `channels` channels and be of equal length and rate. If not,
            channels are averaged, and clips cut at their end or followed by silence (as PANNs does
            it).
        channels: of the stored waveforms.
        copy_mono: whether the one channel of a mono clip stands for all of them.
        on_progress: called with the clips decoded so far and the clips to decode.

    Raises:
        InputError: a clip is missing, unreadable or empty, has NaN samples, has another number of
            channels, or is of another length or sample rate than the store's first clip (where
            exact) or shorter than a frame of 32 ms (where not); or the disk is too small.
            Each faulty clip is logged; the error names the first.
    """
    store, root = Path(store), Path(root)
    store.mkdir(parents=True, exist_ok=True)
    row_samples = round(sample_rate * clip_seconds)
    # One process writes at a time; a second one waits and finds the work done.
    with locked(
        store / "lock", lambda: _LOG.info("another process is writing %s: waiting for it", store)
    ):
        wanted_form = {
            "version": _VERSION,
            "sample_rate": sample_rate,
            "clip_samples": row_samples,
        }
        wanted_form |= {"exact": exact, "channels": channels, "copy_mono": copy_mono}
        form = _open_format(store, wanted_form)
        files = _stat_all(root, filenames)
        index = _read_index(store, row_samples * channels)
        wanted = [
            name
            for name in dict.fromkeys(filenames)
            if index.get(name, (None, None))[1] != files[name]
        ]
        if wanted:
            _LOG.info("decoding %d of %d clips into %s", len(wanted), len(files), store)
            _check_space(store, len(wanted) * row_samples * channels * 2)
            _append(store, root, wanted, files, form, clip_seconds, on_progress)
            index = _read_index(store, row_samples * channels)
    shape = (row_samples,) if channels == 1 else (row_samples, channels)
    samples = np.memmap(store / "waveforms.int16", np.int16, "r").reshape(-1, *shape)
    rows = np.array([index[name][0] for name in filenames], np.int64)
    return Waveforms(samples, rows, fingerprint({"form": form, "files": files}))


def _append(
    store: Path,
    root: Path,
    wanted: Sequence[str],
    files: dict[str, str],
    form: dict,
    clip_seconds: float,
    on_progress: Callable[[int, int], None] | None,
) -> None:
    faults: list[InputError] = []
    chunks = [wanted[at : at + _CHUNK_CLIPS] for at in range(0, len(wanted), _CHUNK_CLIPS)]
    # The first clip ever decoded sets the corpus's rate.
    if form["exact"] and "source_rate" not in form:
        form["source_rate"] = read_audio(root / wanted[0])[1]
        write_json(store / "format.json", form)

    def decode(name: str) -> np.ndarray | InputError:
        try:
            return _decode_clip(root / name, form, clip_seconds)
        except InputError as error:
            return error

    with (
        ThreadPoolExecutor(os.cpu_count()) as pool,
        (store / "waveforms.int16").open("ab") as waveforms,
        (store / "index.tsv").open("a", encoding="utf-8") as index,
    ):
        decoding, done = pool.map(decode, chunks[0]), 0
        for names, following in zip(chunks, [*chunks[1:], []], strict=True):
            decoded = dict(zip(names, decoding, strict=True))
            decoding = pool.map(decode, following)  # while these are written
            rows = {name: row for name, row in decoded.items() if not isinstance(row, InputError)}
            faults += [fault for fault in decoded.values() if isinstance(fault, InputError)]
            try:
                waveforms.write(b"".join(row.tobytes() for row in rows.values()))
                _flush(waveforms)
                index.writelines(f"{name}\t{files[name]}\n" for name in rows)
                _flush(index)
            except OSError as error:  # the stream's own error does not say which file
                raise OSError(error.errno, error.strerror, str(store)) from error
            done += len(names)
            if on_progress:
                on_progress(done, len(wanted))
    for fault in faults[:20]:
        _LOG.error("%s", fault)
    if faults:
        others = f" ({len(faults) - 1} more clips are faulty)" if len(faults) > 1 else ""
        raise InputError(f"{faults[0]}{others}", where="ingest")


def _decode_clip(path: Path, form: dict, clip_seconds: float) -> np.ndarray:
    samples, rate = read_audio(path)
    if not form["exact"]:
        return _to_int16(_fitted(samples, rate, form, path))
    if rate != form["source_rate"]:
        raise InputError(
            "clip has another sample rate",
            where=path,
            expected=f"{form['source_rate']} Hz as the others (if all have changed: a new store)",
            received=f"{rate} Hz",
        )
    channels = form["channels"]
    if samples.shape[1] == 1 and form["copy_mono"]:
        samples = np.repeat(samples, channels, axis=1)
    if samples.shape[1] != channels:
        raise InputError(
            "clip is not mono" if channels == 1 else "clip has another number of channels",
            where=path,
            expected="1 channel" if channels == 1 else f"{channels} channels",
            received=samples.shape[1],
        )
    if len(samples) != round(rate * clip_seconds):
        raise InputError(
            "clip has another length",
            where=path,
            expected=f"{round(rate * clip_seconds)} samples ({clip_seconds:g} s at {rate} Hz)",
            received=f"{len(samples)} samples",
        )
    return _to_int16(resample(samples, rate, form["sample_rate"]))


def _fitted(samples: np.ndarray, rate: int, form: dict, path: Path) -> np.ndarray:
    """One channel of the store's length, from a clip of any form."""
    if len(samples) < _SHORTEST_SECONDS * rate:
        raise InputError(
            "clip is shorter than one frame",
            where=path,
            expected=f"at least {_SHORTEST_SECONDS * 1_000:g} ms",
            received=f"{len(samples)} samples at {rate} Hz",
        )
    mono = samples.mean(axis=1, keepdims=True)
    resampled = resample(mono, rate, form["sample_rate"])[: form["clip_samples"], 0]
    return np.pad(resampled, (0, form["clip_samples"] - len(resampled)))


def _to_int16(samples: np.ndarray) -> np.ndarray:
    limits = -_FULL_SCALE, _FULL_SCALE - 1
    return np.clip(np.rint(samples * _FULL_SCALE), *limits).astype(np.int16)


def _open_format(store: Path, form: dict) -> dict:
    """The store's format; a store of another format is emptied, since none of its rows fit."""
    path = store / "format.json"
    if path.is_file():
        try:
            found = read_json(path)
        except ValueError:
            found = {}
        found = _MONO_FORM | found if isinstance(found, dict) else {}
        if form.items() <= found.items():
            return found
        _LOG.info("store %s has another format: rebuilding it", store)
    for name in ("waveforms.int16", "index.tsv"):
        (store / name).unlink(missing_ok=True)
    write_json(path, form)
    return form


def _stat_all(root: Path, filenames: Sequence[str]) -> dict[str, str]:
    """Size and modification time of each file, as written in the index."""
    found, missing = {}, []
    for name in filenames:
        try:
            status = (root / name).stat()
        except FileNotFoundError:
            missing.append(name)
        else:
            found[name] = f"{status.st_size}\t{status.st_mtime_ns}"
    if missing:
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise InputError("clip of the list is missing", where=root, received=missing[0] + others)
    return found


def _read_index(store: Path, row_samples: int) -> dict[str, tuple[int, str]]:
    """Row and file status of each clip; drops what an interrupted ingest left half-written."""
    index_path, waveforms_path = store / "index.tsv", store / "waveforms.int16"
    index_path.touch()
    waveforms_path.touch()
    lines = index_path.read_text(encoding="utf-8").split("\n")[
        :-1
    ]  # a torn last line has no newline
    whole = min(len(lines), waveforms_path.stat().st_size // (2 * row_samples))
    kept = "".join(f"{line}\n" for line in lines[:whole]).encode()
    if index_path.stat().st_size != len(kept):
        os.truncate(index_path, len(kept))
    if waveforms_path.stat().st_size != whole * 2 * row_samples:
        os.truncate(waveforms_path, whole * 2 * row_samples)
    rows = (line.split("\t", 1) for line in lines[:whole])
    return {name: (row, status) for row, (name, status) in enumerate(rows)}


def _check_space(store: Path, needed_bytes: int) -> None:
    free_bytes = shutil.disk_usage(store).free
    if free_bytes < needed_bytes:
        raise InputError(
            "disk is too full for the waveform store",
            where=store,
            expected=f"{needed_bytes:,} bytes free",
            received=f"{free_bytes:,}",
        )


def _flush(stream) -> None:
    stream.flush()
    os.fsync(stream.fileno())
