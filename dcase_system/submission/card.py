"""The author card: written once by a participant, and used in every submission."""

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
    """Fills missing parts with the corresponding author's name and first affiliation."""
    if not isinstance(given, dict | Label | None):
        return given
    block = given if isinstance(given, dict) else {}  # the default if the card has no block
    parts = {key: part for key, part in block.items() if part is not None}
    for author in info.data.get("authors", ()):
        if author.corresponding:
            own = {"lastname": author.lastname, "institute": author.affiliation[0].abbreviation}
            return own | parts
    return parts


@dataclass(frozen=True)
class SystemName:
    """A system's names in the result tables; `abbreviation` has at most 10 characters."""

    name: Text
    abbreviation: Abbreviation


@dataclass(frozen=True)
class AuthorCard:
    """A validated author card.

    Attributes:
        authors: Authors in the order of listing; exactly one is corresponding.
        external_datasets: Data used in addition to the challenge's own.
        source_code: Address of the source code, or None.
        label: Parts of the submission label.
        systems: Names by the systems' keys in the recipes: `S1`, `S2`, ...
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
        """Returns a system's names; its key if the card does not list it."""
        return self.systems.get(key, SystemName(key, key[:MAX_ABBREVIATION]))


def read_author_card(path: str | Path) -> AuthorCard:
    """Reads and checks an author card, such as `submissions/author_card.yaml`.

    Raises:
        InputError: The file is missing, not YAML, or has defects; the message names all of them.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"author card cannot be read ({error.strerror})", where=path) from error
    except UnicodeDecodeError as error:
        raise InputError("author card is not UTF-8 text", where=path) from error
    return parsed(parse_yaml(text, str(path)), AuthorCard, path, exact=False)
