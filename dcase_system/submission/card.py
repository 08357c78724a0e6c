"""The author card: what a participant writes once, and every submission is filled from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dcase_system.errors import InputError
from dcase_system.submission.fields import (
    LABEL_PART,
    MAX_ABBREVIATION,
    abbreviation_defects,
    author_defects,
    dataset_defects,
    defect,
    is_text,
    mapping_defects,
    shown,
    text_defects,
)
from dcase_system.submission.safe_yaml import parse_yaml

_REQUIRED = ("authors", "external_datasets", "source_code")
_KNOWN = (*_REQUIRED, "label", "systems")


class CardError(InputError):
    """An author card with defects.

    Attributes:
        problems: one line for each defect, with the field and without the file name.
    """

    def __init__(self, path: str | Path, problems: tuple[str, ...]):
        count = f"{len(problems)} defect{'s' if len(problems) > 1 else ''}"
        super().__init__(f"{count} in the author card: {' | '.join(problems)}", where=path)
        self.problems = problems


@dataclass(frozen=True)
class Affiliation:
    abbreviation: str
    institute: str
    location: str
    department: str | None = None


@dataclass(frozen=True)
class Author:
    lastname: str
    firstname: str
    email: str
    affiliation: tuple[Affiliation, ...]
    corresponding: bool = False


@dataclass(frozen=True)
class ExternalDataset:
    """Data used beside the challenge's own; `total_audio_length` is in minutes."""

    name: str
    url: str
    total_audio_length: float


@dataclass(frozen=True)
class SystemName:
    """How the result tables call a system; `abbreviation` has at most 10 characters."""

    name: str
    abbreviation: str


@dataclass(frozen=True)
class AuthorCard:
    """The author card, checked.

    Attributes:
        authors: in the order in which they are to be listed; exactly one is corresponding.
        label_lastname: first part of the submission label.
        label_institute: second part of the submission label.
        systems: names by key, as the recipes call the systems: `S1`, `S2`, ...
        external_datasets: data used beside the challenge's own.
        source_code: address of the source code, or None.
    """

    authors: tuple[Author, ...]
    label_lastname: str
    label_institute: str
    systems: Mapping[str, SystemName]
    external_datasets: tuple[ExternalDataset, ...]
    source_code: str | None

    def system(self, key: str) -> SystemName:
        """The names of a system; one that the card does not list is called by its key."""
        return self.systems.get(key, SystemName(key, key[:MAX_ABBREVIATION]))


def read_author_card(path: str | Path) -> AuthorCard:
    """Reads and checks an author card, such as `submissions/author_card.yaml`.

    Raises:
        CardError: the card has defects; all of them are named, not just the first.
        InputError: the file is missing or not YAML.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"author card cannot be read ({error.strerror})", where=path) from error
    except UnicodeDecodeError as error:
        raise InputError("author card is not UTF-8 text", where=path) from error
    content = parse_yaml(text, str(path))
    problems = tuple(_card_defects(content))
    if problems:
        raise CardError(path, problems)
    return _build(content)


def _card_defects(content: object) -> Iterator[str]:
    yield from mapping_defects(content, "the card", _REQUIRED, _KNOWN)
    if not isinstance(content, dict):
        return
    if "authors" in content:
        yield from author_defects(content["authors"], "field authors", only_known=True)
    yield from _label_defects(content)
    yield from _system_defects(content.get("systems"))
    yield from dataset_defects(content.get("external_datasets"), "field external_datasets")
    source = content.get("source_code")
    if source is not None and not is_text(source):
        yield defect(
            "field source_code", "not an address", expected="a URL or null", received=shown(source)
        )


def _label_defects(content: dict[Any, Any]) -> Iterator[str]:
    label = content.get("label")
    if label is not None:
        yield from mapping_defects(label, "field label", (), ("lastname", "institute"))
    for key, part in zip(("lastname", "institute"), _label_parts(content), strict=True):
        # A part that is missing because the author lacks it is reported there.
        if part is not None and not (isinstance(part, str) and LABEL_PART.fullmatch(part)):
            yield defect(
                f"field label.{key}",
                "cannot be part of a submission label",
                expected="ASCII letters, digits and hyphens; set it in the block `label`",
                received=shown(part),
            )


def _label_parts(content: dict[Any, Any]) -> tuple[object, object]:
    """Label parts as given, or else the corresponding author's name and first affiliation."""
    given = content.get("label")
    label = given if isinstance(given, dict) else {}
    authors = content.get("authors")
    lead: dict[Any, Any] = {}
    for author in authors if isinstance(authors, list) else []:
        if isinstance(author, dict) and author.get("corresponding"):
            lead = author
            break
    affiliation = lead.get("affiliation")
    if isinstance(affiliation, list) and affiliation:
        affiliation = affiliation[0]
    abbreviation = affiliation.get("abbreviation") if isinstance(affiliation, dict) else None
    lastname, institute = label.get("lastname"), label.get("institute")
    return (
        lead.get("lastname") if lastname is None else lastname,
        abbreviation if institute is None else institute,
    )


def _system_defects(systems: object) -> Iterator[str]:
    if systems is None:
        return
    yield from mapping_defects(systems, "field systems", ())
    for key, names in systems.items() if isinstance(systems, dict) else ():
        at = f"field systems.{key}" if is_text(key) else f"field systems.{shown(key)}"
        if not is_text(key):
            yield defect(at, "the key of a system is not text")
        yield from mapping_defects(names, at, ("name", "abbreviation"), ("name", "abbreviation"))
        if isinstance(names, dict):
            yield from text_defects(names, ("name",), at)
            if "abbreviation" in names:
                yield from abbreviation_defects(names["abbreviation"], f"{at}.abbreviation")


def _build(content: dict[str, Any]) -> AuthorCard:
    authors = []
    for fields in content["authors"]:
        given = fields["affiliation"]
        affiliations = given if isinstance(given, list) else [given]
        authors.append(
            Author(
                lastname=fields["lastname"],
                firstname=fields["firstname"],
                email=fields["email"],
                affiliation=tuple(Affiliation(**affiliation) for affiliation in affiliations),
                corresponding=bool(fields.get("corresponding")),
            )
        )
    lastname, institute = _label_parts(content)
    return AuthorCard(
        authors=tuple(authors),
        label_lastname=str(lastname),
        label_institute=str(institute),
        systems={key: SystemName(**names) for key, names in (content.get("systems") or {}).items()},
        external_datasets=tuple(
            ExternalDataset(item["name"], item["url"], item["total_audio_length"])
            for item in content["external_datasets"] or ()
        ),
        source_code=content["source_code"],
    )
