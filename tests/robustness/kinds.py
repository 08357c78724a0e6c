"""The kinds of external files and their readers: lists, cards, packages, runs."""

import io
import json
import shutil
import warnings
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dcase_system.challenge.finished import load_run
from dcase_system.core.errors import InputError
from dcase_system.corpora.audioset import BALANCED, CLASSES_FILE, read_audioset
from dcase_system.corpora.corpus import META_COLUMNS, read_corpus, read_evaluation_list
from dcase_system.corpora.download import unpack
from dcase_system.corpora.task1b import CLASS_OF, TRAIN_LIST, read_task1b
from dcase_system.distillation.ensemble_store import TRAIN_LOGITS, logits_folder, read_ensemble
from dcase_system.distillation.logits_store import LogitsStore, write_logits
from dcase_system.models.registry import read_spec
from dcase_system.models.signature import load_signature
from dcase_system.reporting.report import page_of
from dcase_system.reporting.summary import run_summary
from dcase_system.submission.card import read_author_card
from dcase_system.submission.safe_yaml import parse_yaml
from dcase_system.submission.validate import validate_package
from dcase_system.submission.validate_meta import meta_defects, meta_warnings
from tests.robustness import valid
from tests.robustness.mutations import mutated, mutated_json

Read = Callable[[bytes], object]
Draw = Callable[[Sequence[bytes], np.random.Generator], bytes]
_LIST = (
    b"\t",
    b"\n",
    b"\r\n",
    b"\xff",
    b"\xef\xbb\xbf",
    b"../",
    b"/",
    b"audio/",
    b'"',
    b",",
    b"\0",
)
_YAML = (b": ", b"- ", b"&a ", b"*a", b"<<: ", b"!!python/object:os.system ", b"{", b"[", b"|\n")
_YAML += (
    b"\t",
    b"\xff",
    b"2024-13-45",
    b"0x_",
    b"? ",
    b"---\n",
    b"...",
    b"'",
    b'"',
    b".inf",
    b"1e400",
)


@dataclass(frozen=True)
class Kind:
    """A kind of input.

    Attributes:
        name: in the table.
        prepare: given an empty folder, valid inputs and what reads one from the outside: it returns
            or raises InputError. All it writes must be in the folder.
        draw: makes an input of the valid ones.
    """

    name: str
    prepare: Callable[[Path], tuple[Sequence[bytes], Read]]
    draw: Draw = mutated


def _with(tokens: Sequence[bytes]) -> Draw:
    return lambda seeds, generator: mutated(seeds, generator, tokens)


def _corpus_file(name: str, read: Callable[[Path], object]) -> Callable:
    def prepare(folder: Path) -> tuple[Sequence[bytes], Read]:
        root = valid.corpus(folder)

        def write_and_read(content: bytes) -> object:
            (root / name).write_bytes(content)
            return read(root)

        return [(root / name).read_bytes()], write_and_read

    return prepare


def _card(folder: Path) -> tuple[Sequence[bytes], Read]:
    def read(content: bytes) -> object:
        (folder / "card.yaml").write_bytes(content)
        return read_author_card(folder / "card.yaml")

    return [valid.CARD.read_bytes()], read


def _meta(folder: Path) -> tuple[Sequence[bytes], Read]:
    def read(content: bytes) -> object:
        text = content.decode("utf-8", "surrogateescape")
        value = parse_yaml(text, "meta.yaml")
        lines = [*meta_defects(value, "meta.yaml", valid.LABEL)]
        lines += meta_warnings(value, "meta.yaml")
        return _refused(lines)

    return [valid.META], read


def _refused(lines: Sequence[str]) -> None:
    for line in lines:
        if not line.isprintable():
            raise AssertionError(f"a line that is none: {line!r}")
    if lines:
        raise InputError(lines[0], where="validator")


def _package(folder: Path) -> tuple[Sequence[bytes], Read]:
    def read(content: bytes) -> object:
        (folder / "package.zip").write_bytes(content)
        report = validate_package(folder / "package.zip", evaluation_filenames=valid.CLIPS)
        return _refused((*report.errors, *report.warnings))

    return [valid.package()], read


def _archive(folder: Path) -> tuple[Sequence[bytes], Read]:
    target = folder / "target"

    def read(content: bytes) -> object:
        shutil.rmtree(target, ignore_errors=True)
        (folder / "archive.zip").write_bytes(content)
        unpack(folder / "archive.zip", target)
        for path in target.rglob("*"):
            if path.is_symlink():
                raise AssertionError(f"{path} is a link")
        return None

    return [valid.package()], read


_NAMES = (
    "../../out",
    "/out",
    "a/../../out",
    "C:\\out",
    "..\\out",
    "a\0b",
    "a//b",
    "é" * 300,
    "",
    ".",
)


def _hostile_zip(seeds: Sequence[bytes], generator: np.random.Generator) -> bytes:
    """Half mutated bytes; half whole zips with bombs, links, names twice or out of the folder."""
    if generator.random() < 0.5:
        return mutated(seeds, generator, (b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\6\6", b"../", b"/"))
    content = io.BytesIO()
    with (
        warnings.catch_warnings(action="ignore"),  # zipfile's, of names that are there twice
        zipfile.ZipFile(io.BytesIO(seeds[0])) as source,
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as copied,
    ):
        entries = source.infolist()
        for entry in entries:
            data = source.read(entry)
            if generator.random() < 0.1:
                entry.external_attr = int(generator.choice([0o120777, 0o060666, 0o010666])) << 16
            if generator.random() < 0.1:
                other = entries[generator.integers(len(entries))].filename
                entry.filename = str(generator.choice([*_NAMES, other, other.upper()]))
            if generator.random() < 0.03:
                data = bytes(int(generator.integers(1, 1 << 23)))
            copied.writestr(entry, data, zipfile.ZIP_DEFLATED)
    written = content.getvalue()
    return written if generator.random() < 0.7 else mutated([written], generator)


def _json_files(name: str, files: dict[str, object], read: Callable[[Path], object]) -> Kind:
    """One of some JSON files of a folder is another; it stands in the first byte which."""
    names = list(files)

    def prepare(folder: Path) -> tuple[Sequence[bytes], Read]:
        def write_and_read(content: bytes) -> object:
            at, rest = next(iter(content), 0) % len(names), content[1:]
            for index, path in enumerate(folder / file for file in names):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(rest if index == at else json.dumps(files[names[index]]).encode())
            return read(folder)

        return [bytes([at]) + json.dumps(files[x]).encode() for at, x in enumerate(names)], (
            write_and_read
        )

    def draw(seeds: Sequence[bytes], generator: np.random.Generator) -> bytes:
        seed = seeds[generator.integers(len(seeds))]
        return seed[:1] + mutated_json([seed[1:]], generator)

    return Kind(name, prepare, draw)


def _read_ensemble(folder: Path) -> object:
    for member, key in valid.ENSEMBLE["members"].items():  # type: ignore[attr-defined]
        path = logits_folder(folder, member) / TRAIN_LOGITS
        if not path.exists():
            logits = np.zeros((len(valid.CLIPS), len(valid.SCENES)), np.float32)
            write_logits(path, LogitsStore(key, 5, valid.SCENES, valid.CLIPS, logits))
    return read_ensemble(
        folder, split=5, scenes=valid.SCENES, filenames=valid.CLIPS, validation_fraction=0.0
    )


def _task1b(folder: Path) -> tuple[Sequence[bytes], Read]:
    rows = [
        (f"audio/{scene}-{index}.wav", name, f"city-{index}", "a")
        for index, (scene, name) in enumerate(CLASS_OF.items())
    ]
    lines = ["\t".join(row) for row in (META_COLUMNS, *rows)]
    listed = ["\t".join(row[:2]) for row in (META_COLUMNS, *rows)]
    (folder / "evaluation_setup").mkdir()
    (folder / "evaluation_setup" / TRAIN_LIST).write_text("\n".join(listed) + "\n")

    def read(content: bytes) -> object:
        (folder / "meta.csv").write_bytes(content)
        return read_task1b(folder).listed(TRAIN_LIST)

    return [("\n".join(lines) + "\n").encode()], read


def _report(folder: Path) -> object:
    """The page without its drawings, which take a second."""
    return page_of(folder), run_summary(folder)


KINDS = (
    Kind(
        "split lists",
        _corpus_file("split_setup/split5.csv", lambda root: read_corpus(root).split(5)),
        _with(_LIST),
    ),
    Kind(
        "meta.csv",
        _corpus_file("meta.csv", lambda root: read_corpus(root).test()),
        _with(_LIST),
    ),
    Kind("meta.csv of Task 1B", _task1b, _with(_LIST)),
    Kind(
        "evaluation lists",
        _corpus_file("evaluation_setup/fold1_test.csv", read_evaluation_list),
        _with(_LIST),
    ),
    Kind(
        "AudioSet lists",
        _corpus_file(BALANCED, lambda root: read_audioset(root).segments(BALANCED)),
        _with((*_LIST, b"/m/0", b"#", b'"', b"nan", b"\x0b", b"\x85")),
    ),
    Kind(
        "AudioSet classes",
        _corpus_file(CLASSES_FILE, read_audioset),
        _with((*_LIST, b"/m/0", b"#", b'"', b"\x0b")),
    ),
    Kind("author cards", _card, _with(_YAML)),
    Kind("meta YAML", _meta, _with(_YAML)),
    Kind("packages", _package, _hostile_zip),
    Kind("archives to unpack", _archive, _hostile_zip),
    _json_files("run configs", valid.RUN, lambda folder: load_run(folder).split),
    _json_files("reports", valid.RUN, _report),
    _json_files("specs", {"spec.json": valid.SPEC}, lambda folder: read_spec(folder / "spec.json")),
    _json_files("contracts", {"contract.json": valid.SIGNATURE}, load_signature),
    _json_files("lists of teachers", {"ensemble.json": valid.ENSEMBLE}, _read_ensemble),
)
