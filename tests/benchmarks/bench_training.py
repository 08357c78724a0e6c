"""A training step of the network, of the network from waveforms, and an epoch from files."""

import tempfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from dcase_system.audio.specs import LogMelSpec
from dcase_system.audio.store import ingest
from dcase_system.models import registry
from dcase_system.training.augmented import augmented_model
from dcase_system.training.batches import training_batches
from dcase_system.training.fit import training_step
from dcase_system.training.optimizers import Adam
from tests.benchmarks.clips import SAMPLE_RATE, labels, waveforms, write_clips
from tests.benchmarks.harness import Contender, Row, alternate, compared, fastest

NETWORKS, BATCHES = ("cp_mobile", "sscp_mobile_32", "sscp_mobile_64"), (64, 256)
EPOCH_CLIPS, EPOCH_BATCH = 1_024, 64


def rows(rounds: int) -> list[Row]:
    found = []
    for name in NETWORKS:
        for batch in BATCHES:
            found += _network_step(name, batch, rounds)
    found += _waveform_step("cp_mobile", EPOCH_BATCH, rounds)
    return found + _epoch("cp_mobile", rounds)


def _network_step(name: str, batch: int, rounds: int) -> list[Row]:
    """Features to weights: the network alone."""
    import torch

    from tests.benchmarks import torch_training

    spec = registry.named_spec(name)
    x = np.random.default_rng(0).normal(-4, 2, (batch, *spec.input_shape, 1)).astype(np.float32)
    contenders: dict[str, Contender] = {
        "ours": _steps_of(_compiled(registry.build(spec)), x, labels(batch))
    }
    features = torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))
    targets = torch.from_numpy(labels(batch))
    for layout in ("channels_last", "contiguous_format"):
        step = torch_training.network_step(spec, getattr(torch, layout))
        contenders[f"PyTorch {layout}"] = lambda step=step: step(features, targets)
    return _best(f"step of {name}, batch {batch}", alternate(contenders, rounds), batch)


def _waveform_step(name: str, batch: int, rounds: int) -> list[Row]:
    """Waveforms to weights: augmentation and front end as well."""
    import torch

    from tests.benchmarks import torch_training

    spec, x = registry.named_spec(name), waveforms(batch)
    contenders: dict[str, Contender] = {"ours": _steps_of(augmented(spec), x, labels(batch))}
    step = torch_training.waveform_step(spec, torch.channels_last, resample=False)
    taken = torch.from_numpy(x), torch.from_numpy(labels(batch))
    contenders["PyTorch channels_last"] = lambda: step(*taken)
    return compared(
        f"step of {name} from waveforms, batch {batch}", alternate(contenders, rounds), batch
    )


def _epoch(name: str, rounds: int) -> list[Row]:
    """From files; after the first time, ours reads its store."""
    import torch

    from tests.benchmarks import torch_training

    spec, targets = registry.named_spec(name), labels(EPOCH_CLIPS)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "audio")
        root.mkdir()
        names = write_clips(root, EPOCH_CLIPS)
        store = ingest(Path(folder, "store"), root, names)
        batches = training_batches(store, targets, EPOCH_BATCH, seed=0)
        stream, ours_step = iter(batches), training_step(augmented(spec), batches.element_spec)

        def ours() -> None:
            for batch in islice(stream, EPOCH_CLIPS // EPOCH_BATCH):
                ours_step(batch)

        def with_ingest() -> None:
            with tempfile.TemporaryDirectory(dir=folder) as new:
                ingest(new, root, names)
            ours()

        step = torch_training.waveform_step(spec, torch.channels_last, resample=True)
        files = torch_training.Files(root, names, targets)
        peers: dict[str, Contender] = {}
        for workers in (0, 2):
            loaded = torch_training.loader(files, EPOCH_BATCH, workers)
            peers[f"PyTorch, {workers} loading processes"] = lambda loaded=loaded: (
                torch_training.epoch(loaded, step)
            )
        contenders: dict[str, Contender] = {"ours": ours, "first": with_ingest, **peers}
        seconds = alternate(contenders, rounds)
    first = seconds.pop("first")
    rest = {name: values for name, values in seconds.items() if name != "ours"}
    return [
        *_best(f"epoch of {name} from files", seconds, EPOCH_CLIPS),
        *_best("the first epoch, ingest included", {"ours": first, **rest}, EPOCH_CLIPS),
    ]


def augmented(spec) -> keras.Model:
    """A training from waveforms with the augmentation of the challenge's recipe."""
    return _compiled(
        augmented_model(
            registry.build(spec),
            LogMelSpec(),
            SAMPLE_RATE,
            roll_seconds=0.1,
            mask_mels=48,
            mask_frames=0,
            mixstyle_probability=0.4,
            mixstyle_alpha=0.3,
            seed=0,
        )
    )


def _compiled(model: keras.Model) -> keras.Model:
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(Adam(1e-3, weight_decay=1e-4), loss, jit_compile=False)
    return model


def _steps_of(model: keras.Model, x: np.ndarray, y: np.ndarray) -> Callable[[], object]:
    taken = tf.constant(x), tf.constant(y)
    return lambda: model.train_on_batch(*taken)


def _best(what: str, seconds: dict[str, np.ndarray], items: int) -> list[Row]:
    """Against the peer that was fastest."""
    best = fastest(seconds, seconds.keys() - {"ours"})
    return compared(what, {"ours": seconds["ours"], best: seconds[best]}, items)
