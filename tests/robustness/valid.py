"""Small valid files of every kind, to be broken."""

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import yaml

from dcase_system.audio.specs import LogMelSpec
from dcase_system.corpora import tau
from dcase_system.corpora.audioset import BALANCED, CLASSES_FILE
from dcase_system.models import registry
from dcase_system.models.cp_mobile import sscp_mobile
from dcase_system.models.signature import ModelSignature
from dcase_system.submission.card import read_author_card
from dcase_system.submission.meta import build_meta
from dcase_system.submission.outputs import write_output
from dcase_system.submission.package import SystemFiles, write_package
from tests.audio.audio_files import encoded, wav_bytes
from tests.submission.conftest import CARD, DESCRIPTION, RESULTS

__all__ = ["CARD"]
LABEL = "Lind_NIS_task1_1"
SCENES = tau.SCENES
CLIPS = tuple(f"audio/{index}.wav" for index in range(20))
FRONT_END = LogMelSpec(
    sample_rate=8_000, window_length=256, hop_length=200, fft_length=256, n_mels=16, max_hz=4_000.0
)
SPEC = registry.spec_to_json(replace(sscp_mobile(8), input_shape=(16, 11), classes=3))
LABELS = ("hall", "birds", "rain")
SIGNATURE = ModelSignature(LABELS, FRONT_END, samples=2_000).to_json()
ENSEMBLE = {
    "split": 5,
    "scenes": list(SCENES),
    "validation_fraction": 0.0,
    "external_data": ["dataset"],
    "members": {"member0": "a" * 64, "member1": "b" * 64},
}
_SCORE = {"overall": {"accuracy": 50.0, "logloss": 1.0}, "agreement": 99.0}
RUN: dict[str, object] = {
    "config.json": {
        "command": ["x"],
        "settings": {"split": 5, "scenes": list(SCENES), "plan": {"seed": 0}},
        "versions": {"python": "3.11"},
        "code": {"commit": None, "dirty": None},
    },
    "dev_test/scores.json": {
        "submitted_form": "keras_float16",
        "forms": {"keras_float16": _SCORE},
        "intervals_95": {"overall": [40.0, 60.0]},
    },
    "complexity.json": {"params": 1, "rules": {"2024 Task 1": []}},
    "sparsity.json": {"zeros": 0},
    "student/stage.json": {"key": "a", "inputs": {}},
    "evaluation/stage.json": {"key": "b", "inputs": {"student": "a"}},
}


def corpus(folder: Path) -> Path:
    """Lists of a corpus in the layout of TAU, of AudioSet as well, without any audio."""
    rows = [
        (name, SCENES[index % 10], f"city-{index // 10}", "a") for index, name in enumerate(CLIPS)
    ]
    header = ("filename", "scene_label", "identifier", "source_label")
    lists = {
        "meta.csv": [header, *rows],
        "split_setup/split5.csv": [header[:2], *(row[:2] for row in rows[:10])],
        "split_setup/test.csv": [header[:2], *(row[:2] for row in rows[10:])],
        "evaluation_setup/fold1_test.csv": [header[:1], *(row[:1] for row in rows)],
    }
    for name, lines in lists.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("".join("\t".join(line) + "\n" for line in lines))
    mids = [f"/m/0{index}" for index in range(5)]
    classes = [f'{index},{mid},"name, {index}"' for index, mid in enumerate(mids)]
    (folder / CLASSES_FILE).write_text("\n".join(["index,mid,display_name", *classes]) + "\n")
    segments = [
        f'--4gqARaEJ{index}, 0.000, 10.000, "{mids[0]},{mids[index]}"' for index in range(5)
    ]
    (folder / BALANCED).write_text("\n".join(["# a comment", *segments]) + "\n")
    return folder


def _meta() -> dict:
    card = read_author_card(CARD)
    results = dict.fromkeys(tau.SPLITS, RESULTS)
    costs = {"total_parameters": 63_748, "total_model_size": 127_496, "macs": 29_982_132}
    return build_meta(card, LABEL, card.system("S1"), DESCRIPTION, **costs, results=results)


META = yaml.safe_dump(_meta(), sort_keys=False).encode()


@cache
def package() -> bytes:
    """A valid package of one system."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "meta").write_bytes(META)
        (folder / "report").write_bytes(b"%PDF-1.4\n%%EOF\n")
        outputs = {split: folder / f"{split}.csv" for split in tau.SPLITS}
        values = np.random.default_rng(0).dirichlet(np.ones(10), len(CLIPS))
        for path in outputs.values():
            write_output(path, CLIPS, values, SCENES)
        system = SystemFiles(LABEL, folder / "meta", outputs)
        write_package(folder / "package.zip", [system], folder / "report")
        return (folder / "package.zip").read_bytes()


_SUBTYPES = {
    "flac": {"FLAC": ("PCM_16", "PCM_24", "PCM_S8")},
    "ogg": {"OGG": ("VORBIS", "OPUS")},
    "mp3": {"MP3": ("MPEG_LAYER_III",)},
    "aiff": {"AIFF": ("PCM_16", "PCM_24", "FLOAT", "ULAW")},
    "other": {
        "WAV": ("PCM_U8", "DOUBLE", "ALAW", "IMA_ADPCM", "MS_ADPCM", "GSM610"),
        "RF64": ("PCM_16",),
        "W64": ("PCM_24",),
        "AU": ("PCM_16", "FLOAT"),
        "CAF": ("PCM_16", "ALAC_16"),
    },
}


def sounds(container: str) -> list[bytes]:
    """Short clips in some of the container's formats."""
    samples = 0.3 * np.random.default_rng(0).standard_normal((700, 2)).clip(-1, 1)
    if container == "wav":
        plain = [wav_bytes(samples[:, :1], 8_000, bits) for bits in (16, 24, 32)]
        more = wav_bytes(samples, 48_000, 24, extensible=True)
        return [*plain, more, wav_bytes(samples, 44_100, 32, is_float=True)]
    return [
        encoded(samples[:, :channels], 16_000, form, subtype)
        for form, subtypes in _SUBTYPES[container].items()
        for subtype in subtypes
        for channels in ((1,) if subtype == "GSM610" else (1, 2))
    ]
