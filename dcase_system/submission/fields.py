"""Checks of single fields, shared by the author card and by the validation of meta files.

Every check takes the value as YAML gave it and the place where it stands, and yields one line
for each defect. Nothing here trusts the value to have the right type.
"""

import re
import reprlib
from collections.abc import Iterator, Sequence
from typing import Any, TypeGuard

from dcase_system.errors import InputError

AUTHOR_FIELDS = ("lastname", "firstname", "email", "affiliation")
AFFILIATION_FIELDS = ("abbreviation", "institute", "location")
DATASET_FIELDS = ("name", "url", "total_audio_length")
EXAMPLES = {
    "input_sampling_rate": "32kHz",
    "acoustic_features": "log-mel energies",
    "data_augmentation": "mixup, time rolling",
    "machine_learning_method": "CNN",
    "external_data_usage": "pre-trained model",
    "complexity_management": "pruning, precision_16",
    "pipeline": "train teachers, train student using knowledge distillation",
    "framework": "keras/tensorflow",
    "split_adaptations": "learning rate, epochs",
    "system_adaptations": "base width",
}
"""Of the texts that describe a system, as the official templates have them."""

MAX_ABBREVIATION = 10
"""Characters of a system's abbreviation, as in the official meta template."""

# A dot would end the label in the organisers' reading of the file names, an underscore would
# add a part, and letters outside ASCII do not survive every unzip program.
LABEL_PART = re.compile(r"[A-Za-z0-9-]+")
LABEL = re.compile(r"[A-Za-z0-9-]+_[A-Za-z0-9-]+_task1_[1-4]")
LABEL_2020 = re.compile(r"[A-Za-z0-9-]+_[A-Za-z0-9-]+_task1b_[1-4]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# RFC 5321 allows no longer address; it also bounds the work of the pattern above.
_MAX_EMAIL = 254

_SHORT = reprlib.Repr()
_SHORT.maxlevel = 2
_SHORT.maxdict = _SHORT.maxlist = 3
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80


def defect(where: str, what: str, *, expected: object = None, received: object = None) -> str:
    """One line in the form of `InputError`: place, defect, what was expected and received."""
    return str(InputError(what, where=where, expected=expected, received=received))


def shown(value: object) -> str:
    """A value from outside as short printable ASCII, whatever its type or size."""
    try:
        text = _SHORT.repr(value)
    except ValueError:
        return "an integer of thousands of digits"
    return text.encode("ascii", "backslashreplace").decode()


def is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and value.strip() != ""


def is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> TypeGuard[float]:
    """Whether the value is a finite number; the bound also keeps huge integers from overflowing."""
    return (is_whole(value) or isinstance(value, float)) and -1e18 < value < 1e18


def mapping_defects(
    value: object, where: str, required: Sequence[str], known: Sequence[str] | None = None
) -> Iterator[str]:
    """Checks that a value is a mapping with the required keys and, if given, only known ones."""
    if not isinstance(value, dict):
        yield defect(where, "not a mapping", expected=", ".join(required), received=shown(value))
        return
    for key in required:
        if key not in value:
            yield defect(where, f"required field {key!r} is missing")
    if known is not None:
        for key in value:
            if key not in known:
                yield defect(where, "unknown field", expected=", ".join(known), received=shown(key))


def text_defects(block: dict[Any, Any], keys: Sequence[str], where: str) -> Iterator[str]:
    """Checks that those of the keys that are there hold text."""
    for key in keys:
        if key in block and not is_text(block[key]):
            yield not_text(block[key], f"{where}.{key}", EXAMPLES.get(key))


def not_text(value: object, where: str, example: str | None = None) -> str:
    """The line for a field that holds no text: that it is empty, or what to write.

    YAML reads 32000, 1e5, no and 2024-06-15 as something else than text; a list is none either.
    """
    empty = value is None or isinstance(value, str)
    quoted = "text, in quotes if YAML takes it for a number, a date or a truth value"
    return defect(
        where,
        "is empty" if empty else "is not text",
        expected=f"text such as {example}" if example else quoted,
        received=shown(value),
    )


def author_defects(authors: object, where: str, *, only_known: bool = False) -> Iterator[str]:
    """Checks the list of authors: complete, and exactly one of them corresponding.

    Args:
        authors: the value to check.
        where: the place where it stands.
        only_known: refuse fields that the template does not have; a card should, because there
            such a field is a misspelt one.
    """
    if not isinstance(authors, list) or not authors:
        yield defect(where, "not a list of authors", received=shown(authors))
        return
    corresponding = []
    for position, author in enumerate(authors):
        at = f"{where}[{position}]"
        known = (*AUTHOR_FIELDS, "corresponding") if only_known else None
        yield from mapping_defects(author, at, AUTHOR_FIELDS, known)
        if not isinstance(author, dict):
            continue
        yield from text_defects(author, ("lastname", "firstname"), at)
        if "email" in author and not is_email(author["email"]):
            yield defect(f"{at}.email", "not an e-mail address", received=shown(author["email"]))
        if "affiliation" in author:
            given = author["affiliation"]
            # The official template allows one affiliation or a list of them.
            several = isinstance(given, list) and given
            for number, affiliation in enumerate(given if several else [given]):
                place = f"{at}.affiliation[{number}]" if several else f"{at}.affiliation"
                yield from _affiliation_defects(affiliation, place, only_known)
        mark = author.get("corresponding")
        if mark is not None and not isinstance(mark, bool):
            yield defect(
                f"{at}.corresponding", "not a mark", expected="true or false", received=shown(mark)
            )
        if mark:
            corresponding.append(position)
    if len(corresponding) != 1:
        yield defect(
            where,
            "wrong number of corresponding authors",
            expected="exactly one with `corresponding: true`",
            received=len(corresponding),
        )


def is_email(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _MAX_EMAIL and bool(_EMAIL.fullmatch(value))


def _affiliation_defects(affiliation: object, where: str, only_known: bool) -> Iterator[str]:
    known = (*AFFILIATION_FIELDS, "department") if only_known else None
    yield from mapping_defects(affiliation, where, AFFILIATION_FIELDS, known)
    if isinstance(affiliation, dict):
        yield from text_defects(affiliation, AFFILIATION_FIELDS, where)
        if affiliation.get("department") is not None:
            yield from text_defects(affiliation, ("department",), where)


def abbreviation_defects(value: object, where: str) -> Iterator[str]:
    """Checks the short name of a system that the result tables show."""
    if not is_text(value):
        yield not_text(value, where)
    elif len(value) > MAX_ABBREVIATION:
        yield defect(
            where,
            "abbreviation is too long",
            expected=f"at most {MAX_ABBREVIATION} characters",
            received=f"{len(value)} in {shown(value)}",
        )


def dataset_defects(datasets: object, where: str) -> Iterator[str]:
    """Checks the list of external datasets; none is written as null or as an empty list."""
    if datasets is None:
        return
    if not isinstance(datasets, list):
        yield defect(
            where, "not a list of datasets", expected="a list or null", received=shown(datasets)
        )
        return
    for position, dataset in enumerate(datasets):
        at = f"{where}[{position}]"
        yield from mapping_defects(dataset, at, DATASET_FIELDS)
        if not isinstance(dataset, dict):
            continue
        yield from text_defects(dataset, ("name", "url"), at)
        length = dataset.get("total_audio_length", 0)
        if not is_number(length) or length < 0:
            yield defect(
                f"{at}.total_audio_length",
                "not a length",
                expected="minutes, 0 or more",
                received=shown(length),
            )
