"""Finds placeholders of the author card, which no submitted package may contain.

`submissions/author_card.yaml` comes with Jane Doe and Richard Roe of Example University (EXU), with
addresses at example.org, and with example system names.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dcase_system.core.errors import InputError, defect, shown
from dcase_system.submission.card import AuthorCard

_PEOPLE = {("jane", "doe"), ("john", "doe"), ("jane", "roe"), ("richard", "roe")}
_LASTNAMES = {lastname for _, lastname in _PEOPLE}
_TEXT = re.compile(r"\bexample|\bexu\b", re.IGNORECASE)
# RFC 2606 reserves these for examples: nobody has an address there.
_DOMAIN = re.compile(r"(?:.*\.)?example(?:\.[a-z.]+)?", re.IGNORECASE)
_AFFILIATION = ("abbreviation", "institute", "department", "location")

Found = Iterator[tuple[str, str]]
"""Placeholders: field and value of each."""


def refuse_placeholders(card: AuthorCard, path: str | Path, systems: Collection[str]) -> None:
    """Rejects a card that nobody has filled in.

    Args:
        card: Author card.
        path: File of the card.
        systems: Keys of the submitted systems; names of other systems do not matter.

    Raises:
        InputError: A field holds a placeholder; the message has the first and their number.
    """
    fields = list(_of_authors([asdict(author) for author in card.authors]))
    lastnames = [author.lastname for author in card.authors]
    fields += _of_label(card.label.lastname, card.label.institute, lastnames)
    for key in systems:
        names = {"name": card.system(key).name, "abbreviation": card.system(key).abbreviation}
        fields += _of_texts(names, f"systems.{key}")
    if fields:
        (field, value), *others = fields
        more = f" (and {len(others)} more do)" if others else ""
        raise InputError(
            f"field {field} holds a placeholder{more}",
            where=path,
            expected="your own details: edit this file before you make a package of your own clips",
            received=shown(value),
        )


def placeholder_defects(submission: object, where: str) -> Iterator[str]:
    """Yields one line for each placeholder in the block `submission` of a meta file.

    Args:
        submission: The block as parsed from YAML, of any type.
        where: Location of the block, for messages.
    """
    if not isinstance(submission, dict):
        return
    given = submission.get("authors")
    authors = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    fields = [*_of_authors(authors), *_of_texts(submission, "", ("name", "abbreviation"))]
    label = submission.get("label")
    if isinstance(label, str):
        lastname, _, rest = label.partition("_")
        lastnames = [_plain(author.get("lastname")) for author in authors]
        found = list(_of_label(lastname, rest.partition("_")[0], lastnames))
        fields += [("label", label)] if found else []
    for field, value in fields:
        yield defect(
            f"{where}.{field}",
            "holds a placeholder of the author card",
            expected="your own details: edit the card and make the package again",
            received=shown(value),
        )


def _of_authors(authors: list[dict[Any, Any]]) -> Found:
    for position, author in enumerate(authors):
        at = f"authors[{position}]"
        if (_plain(author.get("firstname")), _plain(author.get("lastname"))) in _PEOPLE:
            yield f"{at}.lastname", author["lastname"]
        else:
            yield from _of_texts(author, at, ("firstname", "lastname"))
        email = author.get("email")
        if isinstance(email, str) and _DOMAIN.fullmatch(email.rpartition("@")[2].strip()):
            yield f"{at}.email", email
        given = author.get("affiliation")
        affiliations = given if isinstance(given, list | tuple) else [given]
        for number, affiliation in enumerate(affiliations):
            if isinstance(affiliation, dict):
                several = f"[{number}]" if len(affiliations) > 1 else ""
                yield from _of_texts(affiliation, f"{at}.affiliation{several}", _AFFILIATION)


def _of_label(lastname: str, institute: str, lastnames: Collection[str]) -> Found:
    """Checks the label's parts; the last name only if no author has it, since real people may."""
    named = map(_plain, lastnames)
    if (_plain(lastname) in _LASTNAMES and _plain(lastname) not in named) or _TEXT.search(lastname):
        yield "label.lastname", lastname
    if _TEXT.search(institute):
        yield "label.institute", institute


def _plain(value: object) -> str:
    return value.strip().lower() if isinstance(value, str) else ""


def _of_texts(block: Mapping[Any, Any], at: str, keys: Collection[str] = ()) -> Found:
    """Finds texts under these keys, or under all, that are examples."""
    for key in keys or block:
        value = block.get(key)
        if isinstance(value, str) and _TEXT.search(value):
            yield f"{at}.{key}" if at else str(key), value
