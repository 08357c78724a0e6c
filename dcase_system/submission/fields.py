"""Field types shared by the author card and the meta files of all editions.

They are `Annotated` types: pydantic checks the YAML values and converts none.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PlainValidator
from typing_extensions import TypedDict

from dcase_system.core.checked import fault, says

MAX_ABBREVIATION = 10
"""Characters of a system's abbreviation, as in the official meta template."""

# A dot would end the label when the organisers parse file names, an underscore would add a part,
# and letters outside ASCII do not survive every unzip program.
_PART = r"[A-Za-z0-9-]+"
LABEL_PART = re.compile(_PART)
LABEL = re.compile(rf"{_PART}_{_PART}_task1_[1-4]")
LABEL_2020 = re.compile(rf"{_PART}_{_PART}_task1b_[1-4]")
# The longest address in RFC 5321; the limit also bounds the work of the pattern.
_EMAIL, _MAX_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"), 254
# More is never genuine; YAML aliases can repeat a list in a few letters.
_MOST = 100


def text(example: str | None = None) -> Any:
    """Annotates a non-empty text.

    YAML does not read 32000, 1e5, no and 2024-06-15 as text; a list is not text either.

    Args:
        example: Example of a valid text.
    """
    quoted = "text, in quotes if YAML takes it for a number, a date or a truth value"

    def check(value: object) -> str:
        if isinstance(value, str) and value.strip():
            return value
        empty = value is None or isinstance(value, str)
        raise fault(
            "is empty" if empty else "is not text", f"text such as {example}" if example else quoted
        )

    return PlainValidator(check)


def _short(value: str) -> str:
    if len(value) > MAX_ABBREVIATION:
        raise fault("abbreviation is too long", f"at most {MAX_ABBREVIATION} characters")
    return value


def _email(value: object) -> str:
    if isinstance(value, str) and len(value) <= _MAX_EMAIL and _EMAIL.fullmatch(value):
        return value
    raise fault("not an e-mail address")


def block(fields: Mapping[str, Any], extra: Literal["forbid", "ignore"] = "forbid") -> Any:
    """Builds the type of a mapping with these fields, all required; names may be any text."""
    kind = TypedDict("Block", {**fields})  # type: ignore[misc]
    kind.__pydantic_config__ = ConfigDict(extra=extra)  # type: ignore[attr-defined]
    return kind


Text = Annotated[str, text()]
Abbreviation = Annotated[str, text(), AfterValidator(_short)]
Address = Annotated[
    Annotated[str, Field(strict=True, pattern=r"\S")] | None,
    says("not an address", "a URL or null"),
]
_NotNegative = Field(strict=True, ge=0, allow_inf_nan=False)
Length = Annotated[
    Annotated[int, Field(strict=True, ge=0)] | Annotated[float, _NotNegative],
    says("not a length", "minutes, 0 or more"),
]


@dataclass(frozen=True)
class Affiliation:
    abbreviation: Text
    institute: Text
    location: Text
    department: Text | None = None


@dataclass(frozen=True)
class Author:
    """An author; the official template allows one affiliation or a list of them."""

    lastname: Text
    firstname: Text
    email: Annotated[str, PlainValidator(_email)]
    affiliation: Annotated[
        tuple[Affiliation, ...],
        Field(max_length=_MOST),
        BeforeValidator(lambda given: given if isinstance(given, list) and given else [given]),
    ]
    corresponding: Annotated[
        Annotated[bool, Field(strict=True)] | None, says("not a truth value", "true or false")
    ] = False


@dataclass(frozen=True)
class ExternalDataset:
    """Data used in addition to the challenge's own; `total_audio_length` is in minutes."""

    name: Text
    url: Text
    total_audio_length: Length


def _one_corresponding(authors: tuple[Author, ...]) -> tuple[Author, ...]:
    count = sum(bool(author.corresponding) for author in authors)
    if count != 1:
        expected = "exactly one with `corresponding: true`"
        raise fault("wrong number of corresponding authors", expected, received=count)
    return authors


Authors = Annotated[tuple[Author, ...], Field(max_length=_MOST), AfterValidator(_one_corresponding)]
Datasets = Annotated[
    tuple[ExternalDataset, ...], BeforeValidator(lambda given: () if given is None else given)
]
"""None is written as null or as an empty list."""
