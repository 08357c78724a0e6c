"""Validates the model files of a package: `NAME.keras` and `NAME.tflite`."""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dcase_system.core.errors import defect, shown
from dcase_system.core.zips import ZIP_ERRORS
from dcase_system.submission.archive import damage, oversize

_MODEL_BYTES = 100_000_000
_CONFIG_JSON_BYTES = 10_000_000


def model_defects(
    archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo], where: str
) -> Iterator[str]:
    """Checks the models: one of each kind with the same name, and layers that Keras has.

    Args:
        archive: Package.
        entries: Entries of the models' folder, by their names in it.
        where: Name of the folder.
    """
    named = {
        suffix: [name for name in entries if Path(name).suffix == suffix]
        for suffix in (".keras", ".tflite")
    }
    for suffix, names in named.items():
        if len(names) != 1:
            yield defect(where, f"wrong number of {suffix} files", expected=1, received=len(names))
    if any(len(names) != 1 for names in named.values()):
        return
    (keras,), (tflite,) = named.values()
    if Path(keras).stem != Path(tflite).stem:
        wanted = f"{Path(keras).stem}.tflite"
        yield defect(
            where, "the models have different names", expected=shown(wanted), received=shown(tflite)
        )
    for name, check in ((keras, _keras_defects), (tflite, _tflite_defects)):
        too_much = oversize(entries[name], _MODEL_BYTES)
        if too_much:
            yield too_much
            continue
        try:
            content = archive.read(entries[name])
        except ZIP_ERRORS as error:
            yield damage(entries[name], error)
            continue
        yield from check(content, f"{where}/{shown(name)[1:-1]}")


def _tflite_defects(content: bytes, where: str) -> Iterator[str]:
    if content[4:8] != b"TFL3":
        yield defect(where, "not a TFLite model")


def _keras_defects(content: bytes, where: str) -> Iterator[str]:
    """Finds layers that Keras does not have: the evaluation loads the file without our package."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entry = archive.getinfo("config.json")
            too_much = oversize(entry, _CONFIG_JSON_BYTES)
            if too_much:
                yield f"{where}: {too_much}"
                return
            config = json.loads(archive.read(entry))
    except (RecursionError, *ZIP_ERRORS):
        yield defect(where, "not a .keras file")
        return
    foreign = sorted(set(_foreign(config)))
    if foreign:
        yield defect(
            where,
            "has layers that Keras alone cannot load",
            expected="stock layers",
            received=shown(", ".join(foreign)),
        )


def _foreign(config: Any) -> Iterator[str]:
    """Yields the names of classes and functions in a config that are not Keras's own."""
    pending = [config]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            module = value.get("module")
            own = isinstance(module, str) and module.partition(".")[0] == "keras"
            if "class_name" in value and "module" in value and (module is not None and not own):
                yield str(value.get("class_name"))
            elif value.get("registered_name") and "module" in value and not own:
                yield str(value["registered_name"])
            elif value.get("class_name") == "Lambda":
                yield "Lambda"
            pending += value.values()
        elif isinstance(value, list):
            pending += value
