"""The kinds of files that native code reads: sounds, arrays, networks."""

import io
import tempfile
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from dcase_system.audio.decode import read_audio, resample
from dcase_system.audio.file_checks import check_file
from dcase_system.distillation.logits_store import LogitsStore, read_logits, write_logits
from dcase_system.models.signature import ModelSignature
from tests.locations import write
from tests.robustness import valid
from tests.robustness.kinds import Draw, Kind, Read
from tests.robustness.mutations import mutated, mutated_json

_CHUNKS = (b"RIFF", b"WAVE", b"fmt ", b"data", b"LIST", b"INFO", b"fact", b"bext", b"cue ")
_SOUND = {
    "wav": (*_CHUNKS, b"\xfe\xff", b"\1\0", b"\3\0"),
    "flac": (b"fLaC", b"\0\0\0\x22", b"\x84\0\0", b"\xff\xf8", b"\xff\xf9", b"ID3\3"),
    "ogg": (b"OggS", b"\1vorbis", b"\3vorbis", b"\5vorbis", b"OpusHead", b"BCV", b"\xff" * 8),
    "mp3": (b"ID3\3", b"TAG", b"Xing", b"Info", b"LAME", b"\xff\xfb\x90", b"\xff\xfa"),
    "aiff": (b"FORM", b"AIFF", b"AIFC", b"COMM", b"SSND", b"MARK", b"NAME", b"sowt", b"fl32"),
    "other": (*_CHUNKS, b"RF64", b"ds64", b"riff", b"caff", b"desc", b"pakt", b"kuki", b".snd"),
}


def _ogg_with_checksums(content: bytes) -> bytes:
    """Corrects the checksum of each page, so that the reader gets past it."""
    pages = content.split(b"OggS")
    whole = pages[0]
    for page in pages[1:]:
        page = bytearray(b"OggS" + page)
        if len(page) >= 27:
            page[22:26] = bytes(4)
            page[22:26] = _crc(page).to_bytes(4, "little")
        whole += page
    return whole


def _crc(page: bytes) -> int:
    """Of Ogg: polynomial 0x04c11db7, nothing reflected, begun with 0."""
    value = 0
    for byte in page:
        value = (value << 8 & 0xFFFFFFFF) ^ _CRC[value >> 24 ^ byte]
    return value


def _crc_of_byte(byte: int) -> int:
    value = byte << 24
    for _ in range(8):
        value = value << 1 ^ (0x104C11DB7 if value & 0x80000000 else 0)
    return value


_CRC = [_crc_of_byte(byte) for byte in range(256)]


def _draw(container: str) -> Draw:
    def draw(seeds: Sequence[bytes], generator: np.random.Generator) -> bytes:
        content = mutated(seeds, generator, _SOUND[container])
        mended = container == "ogg" and generator.random() < 0.7
        return _ogg_with_checksums(content) if mended else content

    return draw


def _headers() -> Kind:
    """The checks of headers, which run before libsndfile reads a file."""

    def prepare(_: Path) -> tuple[Sequence[bytes], Read]:
        seeds = [sound for container in _SOUND for sound in valid.sounds(container)]
        return seeds, lambda content: check_file(io.BytesIO(content), "a file")

    tokens = [token for of_container in _SOUND.values() for token in of_container]
    return Kind("audio headers", prepare, lambda s, g: mutated(s, g, tokens))


def _sound(container: str) -> Kind:
    def prepare(folder: Path) -> tuple[Sequence[bytes], Read]:
        url = f"ram://{folder.name}/clip"  # which libsndfile reads through Python

        def read(content: bytes) -> object:
            local = folder / "clip"
            if len(content) % 4 == 0:
                write(url, content)
            else:
                local.write_bytes(content)
            samples, rate = read_audio(local if len(content) % 4 else url)
            return resample(samples, rate, 32_000)

        return valid.sounds(container), read

    return Kind(f"{container} files", prepare, _draw(container))


def _logits(folder: Path) -> tuple[Sequence[bytes], Read]:
    path = folder / "train.safetensors"
    values = np.zeros((len(valid.CLIPS), len(valid.SCENES)), np.float32)
    write_logits(path, LogitsStore("key", 5, valid.SCENES, valid.CLIPS, values))

    def read(content: bytes) -> object:
        path.write_bytes(content)
        wanted = {"split": 5, "scenes": valid.SCENES, "filenames": valid.CLIPS}
        return read_logits(path, **wanted, teacher="key")

    return [path.read_bytes()], read


def _checkpoint(folder: Path) -> tuple[Sequence[bytes], Read]:
    import keras

    from dcase_system.training.callbacks import Checkpoint

    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    network.compile("adam", "mse")
    checkpoint = Checkpoint(folder / "state.safetensors", 1)
    checkpoint.restore(network)
    checkpoint.set_model(network)
    checkpoint.set_params({"epochs": 1})
    checkpoint.on_epoch_end(0)

    def read(content: bytes) -> object:
        (folder / "state.safetensors").write_bytes(content)
        return checkpoint.restore(network)

    return [(folder / "state.safetensors").read_bytes()], read


def _safetensors(seeds: Sequence[bytes], generator: np.random.Generator) -> bytes:
    """Mutates bytes, or the JSON header with a matching length."""
    tokens = (b'"BF16"', b'"F8_E4M3"', b'"F4"', b'"C64"', b'"shape":[', b"99999999999", b"-1")
    if generator.random() < 0.3:
        return mutated(seeds, generator, tokens)
    seed = seeds[generator.integers(len(seeds))]
    end = 8 + int.from_bytes(seed[:8], "little")
    change = mutated_json if generator.random() < 0.6 else mutated
    header = change([seed[8:end]], generator, *([tokens] if change is mutated else []))
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + seed[end:]


@cache
def models() -> dict[str, bytes]:
    """Exported files of a small network, by their names."""
    import keras

    from dcase_system.edge import variants
    from dcase_system.models import registry

    signature = ModelSignature.from_json(valid.SIGNATURE, "contract")
    keras.utils.set_random_seed(0)
    network = registry.build(registry.spec_from_json(valid.SPEC))
    clips = np.random.default_rng(0).normal(0, 0.1, (8, signature.samples)).astype(np.float32)
    features = np.asarray(signature.features(clips))
    with tempfile.TemporaryDirectory() as folder:
        variants.export_all(network, signature, features, Path(folder), ("float32", "int8"))
        return {path.name: path.read_bytes() for path in sorted(Path(folder).glob("*.tflite"))}


def _tflite(folder: Path) -> tuple[Sequence[bytes], Read]:
    from dcase_system.edge.classifier import Classifier

    def read(content: bytes) -> object:
        (folder / "model.tflite").write_bytes(content)
        classifier = Classifier(folder / "model.tflite")
        return classifier.probabilities(np.zeros((1, *classifier.signature.waveform_shape)))

    return list(models().values()), read


def _weights(folder: Path) -> tuple[Sequence[bytes], Read]:
    import keras

    from dcase_system.models.layers import FusedBatchNormalization
    from dcase_system.models.stored import load_model, load_weights

    path = folder / "network.keras"
    convolution, norm = keras.layers.Conv2D(3, 2), FusedBatchNormalization()
    network = keras.Sequential([keras.Input((4, 4, 1)), convolution, norm, keras.layers.ReLU()])
    network.save(path)

    def read(content: bytes) -> object:
        path.write_bytes(content)
        return load_model(path) if len(content) % 2 else load_weights(network, path)

    return [path.read_bytes()], read


def _keras(seeds: Sequence[bytes], generator: np.random.Generator) -> bytes:
    """A `.keras` file with one of its parts mutated, or the whole of it."""
    tokens = (b'"class_name": "Lambda"', b'"module": "os"', b'"system"', b"\x89HDF", b"PK\1\2")
    tokens += (b'"registered_name": null', b"TREE", b"SNOD", b"HEAP", b"\xff" * 8)
    if generator.random() < 0.3:
        return mutated(seeds, generator, tokens)
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(seeds[0])) as source, zipfile.ZipFile(content, "w") as copied:
        names = source.namelist()
        changed = names[generator.integers(len(names))]
        for name in names:
            data = source.read(name)
            copied.writestr(name, mutated([data], generator, tokens) if name == changed else data)
    return content.getvalue()


NATIVE = (
    _headers(),
    *(_sound(container) for container in _SOUND),
    Kind("logits stores", _logits, _safetensors),
    Kind("checkpoints", _checkpoint, _safetensors),
    Kind(".tflite files", _tflite, lambda s, g: mutated(s, g, (b"TFL3", b"dcase_system.card"))),
    Kind(".keras files", _weights, _keras),
)
