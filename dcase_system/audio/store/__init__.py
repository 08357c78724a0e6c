"""The waveform store: every clip decoded and resampled once, int16, in shards that are mapped.

A store is a folder of shards of about 128 MiB. `000000.tsv` is the plan of a shard: line i says
from which file, of what size and modification time, row i is made. `000000.int16` holds the rows,
of equal length, and is written whole, so that a shard whose rows are there is done. Plans are made
by one process at a time, from the wanted clips that no plan holds yet, in their order. Shards are
written by any number of processes, on all machines that share the disk; a lock on the plan says
which of them is at work on it. So an interrupted ingest goes on at the shards that are not done,
only new or changed files are decoded, the nested splits of a corpus share one store, and who
writes it leaves no trace in its bytes.
"""

from dcase_system.audio.store.ingestion import ingest
from dcase_system.audio.store.waveforms import Waveforms

__all__ = ["Waveforms", "ingest"]
