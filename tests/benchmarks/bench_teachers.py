"""Teachers: PaSST's inference, and what keeping the logits of four of them saves a training."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import tensorflow as tf

from dcase_system.distillation.logits_store import LogitsStore, read_logits, write_logits
from dcase_system.models import registry
from tests.benchmarks.clips import SCENES
from tests.benchmarks.harness import Contender, Row, alternate, compared

CLIPS, TEACHERS, STORED, FRAMES = 8, 4, 10_000, 100  # frames of a second


def rows(rounds: int) -> list[Row]:
    """Of passt_s: 85 million parameters, 110 tokens a second of sound."""
    spec = replace(registry.named_spec("passt_s"), classes=SCENES)
    x = np.random.default_rng(0).normal(size=(CLIPS, 128, FRAMES, 1)).astype(np.float32)
    network = registry.build(spec)
    run = tf.function(lambda features: network(features, training=False))
    tensor = tf.constant(x)
    contenders: dict[str, Contender] = {
        "ours": lambda: run(tensor).numpy(),
        "PyTorch": _by_torch(spec, x),
    }
    seconds = alternate(contenders, rounds)
    with tempfile.TemporaryDirectory() as folder:
        stored = alternate({"stored": _reading(Path(folder))}, rounds)["stored"]
    # Per clip, so that the two numbers of clips do not matter.
    by_clip = {
        "ours": stored / STORED,
        "computing them each time": TEACHERS * seconds["ours"] / CLIPS,
    }
    return [
        *compared("PaSST-S, features to logits", seconds, CLIPS),
        *compared("logits of four teachers from the store", by_clip, 1),
    ]


def _by_torch(spec, x: np.ndarray) -> Callable[[], object]:
    import torch

    from tests.models.torch_passt import PaSST

    model, taken = PaSST(spec).eval(), torch.from_numpy(x.transpose(0, 3, 1, 2).copy())

    def run() -> object:
        with torch.inference_mode():
            return model(taken)

    return run


def _reading(folder: Path) -> Callable[[], None]:
    scenes = tuple(f"scene {at}" for at in range(SCENES))
    names = tuple(f"{at}.wav" for at in range(STORED))
    logits = np.zeros((STORED, SCENES), np.float32)
    paths = [folder / f"teacher{at}.safetensors" for at in range(TEACHERS)]
    for path in paths:
        write_logits(path, LogitsStore("0" * 64, 5, scenes, names, logits))

    def run() -> None:
        for path in paths:
            read_logits(path, split=5, scenes=scenes, filenames=names)

    return run
