"""The author card: what a participant writes once, and every submission is filled from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pydantic

from dcase_system.core.checked import parsed, says
from dcase_system.core.errors import InputError
from dcase_system.submission.fields import (
    LABEL_PART,
    MAX_ABBREVIATION,
    Abbreviation,
    Address,
    Authors,
    Datasets,
    Text,
)
from dcase_system.submission.safe_yaml import parse_yaml

_LabelPart = Annotated[
    str,
    pydantic.Field(strict=True, pattern=f"^{LABEL_PART.pattern}$"),
    says(
        "cannot be part of a submission label",
        "ASCII letters, digits and hyphens; set it in the block `label`",
    ),
]
_SystemKey = Annotated[
    str, pydantic.Field(strict=True, pattern=r"\S"), says("the key of a system is not text")
]


@dataclass(frozen=True)
class Label:
    """The first two parts of a submission label."""

    lastname: _LabelPart = ""
    institute: _LabelPart = ""


def _filled_in(given: Any, info: pydantic.ValidationInfo) -> Any:
    """Parts that are not given are the corresponding author's name and first affiliation."""
    if not isinstance(given, dict | None):
        return given
    parts = {key: part for key, part in (given or {}).items() if part is not None}
    for author in info.data.get("authors", ()):
        if author.corresponding:
            own = {"lastname": author.lastname, "institute": author.affiliation[0].abbreviation}
            return own | parts
    return parts


@dataclass(frozen=True)
class SystemName:
    """How the result tables call a system; `abbreviation` has at most 10 characters."""

    name: Text
    abbreviation: Abbreviation


@dataclass(frozen=True)
class AuthorCard:
    """The author card, checked.

    Attributes:
        authors: in the order in which they are to be listed; exactly one is corresponding.
        external_datasets: data used beside the challenge's own.
        source_code: address of the source code, or None.
        label: parts of the submission label.
        systems: names by key, as the recipes call the systems: `S1`, `S2`, ...
    """

    authors: Authors
    external_datasets: Datasets
    source_code: Address
    label: Annotated[
        Label, pydantic.BeforeValidator(_filled_in), pydantic.Field(validate_default=True)
    ] = Label()
    systems: Annotated[
        Mapping[_SystemKey, SystemName],
        pydantic.BeforeValidator(lambda given: {} if given is None else given),
    ] = field(default_factory=dict)

    def system(self, key: str) -> SystemName:
        """The names of a system; one that the card does not list is called by its key."""
        return self.systems.get(key, SystemName(key, key[:MAX_ABBREVIATION]))


def read_author_card(path: str | Path) -> AuthorCard:
    """Reads and checks an author card, such as `submissions/author_card.yaml`.

    Raises:
        InputError: the file is missing, not YAML, or a card with defects; all of them are named.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"author card cannot be read ({error.strerror})", where=path) from error
    except UnicodeDecodeError as error:
        raise InputError("author card is not UTF-8 text", where=path) from error
    return parsed(parse_yaml(text, str(path)), AuthorCard, path, exact=False)
