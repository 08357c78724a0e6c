"""The waveform store: every clip decoded and resampled once, int16, in one file that grows.

A store is a folder. `index.tsv` lists the clips: line i says from which file, of what size and
modification time, row i of `waveforms.int16` is made. `done.u4` holds a mark for each row, the
CRC-32 of its line, which is written once the row has reached the disk. So a row without its mark is
decoded again, and a row never passes for another clip. Lines are only ever added; rows are written
by any number of processes, on all machines that share the disk, in any order. An interrupted
ingest goes on with the rows that are not done, only new or changed files are decoded, the nested
splits of a corpus share one store, and who writes it leaves no trace in its bytes.
"""

from dcase_system.audio.store.ingestion import ingest
from dcase_system.audio.store.waveforms import Waveforms

__all__ = ["Waveforms", "ingest"]
