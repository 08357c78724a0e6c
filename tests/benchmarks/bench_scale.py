"""Cost per clip and memory of each part of a challenge run, for growing numbers of clips.

    python -m tests.benchmarks.bench_scale [--clips=1000,10000,100000,275350]

The largest number is that of the 100 % split (139,620) and the evaluation set (135,730) together.
Each part runs in a process of its own. Memory is what the process holds itself (`RssAnon`), not the
pages of mapped files, which the system takes back when it needs them. Processor time stands beside
the time on the clock because a run of an hour shares its machine.
"""

import multiprocessing
import resource
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from absl import flags

from dcase_system.audio.front_ends import front_end
from dcase_system.audio.specs import LogMelSpec, PannsMelSpec
from dcase_system.audio.store import Waveforms, ingest
from dcase_system.core import cli
from dcase_system.corpora import tau
from dcase_system.edge.timing import memory_bytes
from dcase_system.models import registry
from dcase_system.submission.outputs import write_output
from dcase_system.submission.package import SystemFiles, output_name, write_package
from dcase_system.submission.validate import validate_package
from dcase_system.supernet.calibration import SubNetworks
from dcase_system.supernet.elastic import ElasticNetwork
from dcase_system.supernet.scoring import FeatureBatches, SubNetworkScorer
from dcase_system.supernet.search_space import paper_space
from dcase_system.training.augmented import waveform_model
from dcase_system.training.batches import epoch_steps, training_batches
from dcase_system.training.fit import training_step
from dcase_system.training.predict import predict
from tests.benchmarks.bench_supernet import QUARTER
from tests.benchmarks.bench_training import augmented
from tests.benchmarks.clips import SAMPLE_RATE, SCENES, labels, write_clips
from tests.benchmarks.harness import machine

COUNTS = (1_000, 10_000, 100_000, 139_620 + 135_730)
TRAINING_STEPS, BATCH = 30, 64


def ingestion(folder: Path, count: int) -> None:
    _store(folder, count)


def input_pipeline(folder: Path, count: int) -> None:
    """An epoch of shuffled batches, without a network."""
    batches = training_batches(_store(folder, count), labels(count), BATCH, seed=0)
    for _ in batches.take(epoch_steps(count, BATCH)):
        pass


def training(folder: Path, count: int) -> None:
    """Some steps of SSCP-Mobile 64, the wide network of S1, with clips from everywhere."""
    model = augmented(registry.named_spec("sscp_mobile_64"))
    batches = training_batches(_store(folder, count), labels(count), BATCH, seed=0)
    step = training_step(model, batches.element_spec)
    for batch in batches.take(TRAINING_STEPS):
        step(batch)


def prediction(folder: Path, count: int) -> None:
    """Logits of S1."""
    network = registry.build(registry.named_spec("sscp_mobile_s1"))
    model = waveform_model(network, front_end(LogMelSpec(), 0), SAMPLE_RATE)
    assert predict(model, _store(folder, count)).shape == (count, SCENES)


def packaging(folder: Path, count: int) -> None:
    """An output file of so many clips into the zip, and its validation."""
    label = "Lind_NIS_task1_1"
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet(np.ones(len(tau.SCENES)), count).astype(np.float32)
    output, meta = folder / output_name(label, 5), folder / f"{label}.meta.yaml"
    write_output(output, _names(count), probabilities, tau.SCENES)
    meta.write_text("{}\n")
    write_package(folder / "task1.zip", [SystemFiles(label, meta, {5: output})])
    report = validate_package(folder / "task1.zip", splits=[5], evaluation_filenames=_names(count))
    assert not [line for line in report.errors if "output" in line], report.errors[:3]


def search(folder: Path, count: int) -> None:
    """A sub-network of a quarter-width supernet, recalibrated and scored on the clips."""
    space = paper_space("2,2,X", base=QUARTER)
    clips = FeatureBatches(_store(folder, count), front_end(PannsMelSpec(), 0)).mapped(folder)
    truth = np.eye(space.base.classes, dtype=np.float32)[np.arange(count) % space.base.classes]
    scorer = SubNetworkScorer(SubNetworks(ElasticNetwork(space.base)), clips[:4], clips, truth)
    scorer(space.spec(space.smallest))


STAGES = (ingestion, input_pipeline, training, prediction, packaging, search)


def measured(
    stage: Callable[[Path, int], None], folder: Path, count: int
) -> tuple[float, float, float]:
    """Seconds, processor seconds and peak MB of a part, in the process that calls this."""
    peak, done = [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            peak[0] = max(peak[0], memory_bytes("RssAnon") / 1e6)

    watcher = threading.Thread(target=watch)
    watcher.start()
    started, computed = time.perf_counter(), _processor_seconds()
    stage(folder, count)
    seconds, computed = time.perf_counter() - started, _processor_seconds() - computed
    done.set()
    watcher.join()
    peak[0] = max(peak[0], memory_bytes("RssAnon") / 1e6)
    return seconds, computed, peak[0]


def _processor_seconds() -> float:
    of = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(who)[:2]) for who in of)


def _names(count: int) -> list[str]:
    return [f"{at:06d}.wav" for at in range(count)]


def _store(folder: Path, count: int) -> Waveforms:
    return ingest(folder / "store", folder / "audio", _names(count))


def main(_: Sequence[str]) -> None:
    print(machine())
    print("| clips | part | ms a clip | processor ms | peak MB |\n|--:|---|--:|--:|--:|")
    for count in map(int, flags.FLAGS.clips):
        with tempfile.TemporaryDirectory(dir=flags.FLAGS.scratch_dir) as name:
            folder = Path(name)
            (folder / "audio").mkdir()
            write_clips(folder / "audio", count)
            for stage in (one for one in STAGES if one.__name__ in flags.FLAGS.parts):
                context = multiprocessing.get_context("spawn")
                with ProcessPoolExecutor(1, context) as process:
                    seconds, computed, peak = process.submit(
                        measured, stage, folder, count
                    ).result()
                of = TRAINING_STEPS * BATCH if stage is training else count
                print(
                    f"| {count:,} | {stage.__name__} | {1_000 * seconds / of:.2f} "
                    f"| {1_000 * computed / of:.2f} | {peak:,.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    flags.DEFINE_list(
        "clips", [str(count) for count in COUNTS], "Numbers of clips, one after another."
    )
    names = [stage.__name__ for stage in STAGES]
    flags.DEFINE_multi_enum("parts", names, names, "What is measured.")
    flags.DEFINE_string(
        "scratch_dir", None, "On a disk with 130 kB a clip; by default the system's."
    )
    cli.run(main)
