"""Numbers of a report and the files they are read from.

Numbers are never typed in: each is read from a JSON file, or computed from numbers that are, and
keeps the file and its location, so that readers can trace it.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NOTHING = "–"  # in place of a missing number
MARK = "†"  # after a published number


@dataclass(frozen=True)
class Number:
    """A number and its source.

    Attributes:
        value: Value in the file.
        source: File name and JSON pointer (RFC 6901), `dev_test/scores.json#/forms/.../accuracy`;
            for a computed value a formula of them, see `derived`.
        spec: Format specification.
        scale: Factor applied before formatting.
    """

    value: float
    source: str
    spec: str = ".1f"
    scale: float = 1.0

    def __str__(self) -> str:
        return format(self.value * self.scale if self.scale != 1.0 else self.value, self.spec)


@dataclass(frozen=True)
class Printed:
    """A number as published in a paper; a mark distinguishes it from measured ones."""

    value: float | str

    def __str__(self) -> str:
        return f"{self.value}{MARK}"


Cell = str | Number | Printed | None
Sentence = str | Sequence[str | Number]  # text, in which numbers keep their sources


def plain(sentence: Sentence) -> str:
    """Returns a sentence without the sources of its numbers."""
    return "".join(map(str, sentence))


@dataclass(frozen=True)
class Document:
    """A JSON or JSON-lines file of a run; empty if the file is missing.

    Attributes:
        name: Path below the page.
        content: Parsed content; a list for JSON lines.
        fault: Reason why there is no content.
    """

    name: str
    content: Any = None
    fault: str = ""

    def get(self, *keys: str | int) -> Any:
        """Returns the value at this location, or None."""
        found = self.content
        for key in keys:
            in_list = isinstance(found, list) and isinstance(key, int) and 0 <= key < len(found)
            if not in_list and not (isinstance(found, Mapping) and key in found):
                return None
            found = found[key]
        return found

    def number(self, *keys: str | int, spec: str = ".1f", scale: float = 1.0) -> Number | None:
        """Returns the number at this location, or None."""
        value = self.get(*keys)
        if not is_number(value):
            return None
        return Number(value, self.place(*keys), spec, scale)

    def place(self, *keys: str | int) -> str:
        """Returns the file name and JSON pointer of this location."""
        steps = (str(key).replace("~", "~0").replace("/", "~1") for key in keys)
        return f"{self.name}#/{'/'.join(steps)}"

    def names(self, *keys: str | int) -> list[str]:
        """Returns the names in the object at this location."""
        found = self.get(*keys)
        return list(found) if isinstance(found, Mapping) else []

    def texts(self, *keys: str | int) -> list[str]:
        """Returns the items of the list at this location as text."""
        found = self.get(*keys)
        return [str(one) for one in found] if isinstance(found, list) else []

    def rows(self, *keys: str | int, numbers: Sequence[str] = ()) -> list[Mapping[str, Any]]:
        """Returns the objects of `entries`."""
        return [row for _, row in self.entries(*keys, numbers=numbers)]

    def entries(
        self, *keys: str | int, numbers: Sequence[str] = ()
    ) -> list[tuple[int, Mapping[str, Any]]]:
        """Returns the objects in the list at this location, with their indices.

        Args:
            *keys: Location of the list.
            numbers: Keys that must hold numbers; other objects are left out.
        """
        found = self.get(*keys)
        return [
            (at, row)
            for at, row in (enumerate(found) if isinstance(found, list) else ())
            if isinstance(row, Mapping) and all(is_number(row.get(name)) for name in numbers)
        ]


def is_number(value: Any) -> bool:
    """Whether a value is a finite number and not a bool."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    # `math.isfinite` raises for very large integers.
    return abs(value) <= sys.float_info.max
