"""The waveform store: every clip is decoded and resampled once, to int16, in one growing file.

A store is a folder. `index.tsv` lists the clips: line i names the file, with its size and
modification time, of row i in `waveforms.int16`. `done.u4` holds a mark for each row, the CRC-32 of
its line, written once the row is synced to disk. So a row without its mark is decoded again, and a
row is never taken for another clip. Lines are only ever added. Any number of processes, on all
machines that share the disk, may write rows in any order. An interrupted ingest resumes with the
missing rows, only new or changed files are decoded, the nested splits of a corpus share one store,
and its bytes do not depend on who wrote it.
"""

from dcase_system.audio.store.ingestion import ingest
from dcase_system.audio.store.waveforms import Waveforms

__all__ = ["Waveforms", "ingest"]
