"""The single exception for invalid input from outside."""

import reprlib
from collections.abc import Callable, Iterable

_LONGEST = 4_000  # of a message


class InputError(ValueError):
    """Input from outside (a file, a row, a flag) is not what was expected.

    The message is one line and says what is wrong, where, what was expected and what was
    received, so that a command can print it without a traceback.
    """

    def __init__(
        self, what: str, *, where: object, expected: object = None, received: object = None
    ):
        parts = [f"{_seen(where)}: {what}"]
        if expected is not None:
            parts.append(f"expected {_seen(expected)}")
        if received is not None:
            parts.append(f"received {_seen(received)}")
        super().__init__(_one_line("; ".join(parts)))

    @classmethod
    def of_lines(cls, where: object, lines: Iterable[str]) -> "InputError":
        """Makes one error of all defects of a file, each a line of `defect` without the file."""
        first, *others = lines
        if not others:
            return cls(first, where=where)
        return cls(f"{1 + len(others)} defects: {' | '.join((first, *others))}", where=where)

    def __reduce__(self) -> tuple[Callable, tuple[type, str]]:
        """Allows the error to be sent between processes."""
        return _again, (type(self), str(self))


def _again(kind: type[InputError], message: str) -> InputError:
    error = kind.__new__(kind)
    ValueError.__init__(error, message)
    return error


def visible(text: str) -> str:
    """Quotes a text from outside if some of its blanks could not be seen otherwise.

    That is: at an end, several in a row, other than a space, or nothing else. `InputError` does so
    with `where`, `expected` and `received`; join a list of such texts as `map(visible, texts)`.
    """
    return text if text and text == " ".join(text.split()) else repr(text)


def _seen(value: object) -> object:
    # Text of several lines is a message, not a value.
    return visible(value) if isinstance(value, str) and "\n" not in value else value


def _one_line(text: str) -> str:
    """Escapes text for a terminal: names from outside may hold control sequences."""
    words = " ".join(filter(None, map(str.strip, text.splitlines())))
    if len(words) > _LONGEST:
        words = f"{words[: _LONGEST // 2]} ... {words[-_LONGEST // 2 :]}"
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in words)


def defect(where: str, what: str, *, expected: object = None, received: object = None) -> str:
    """Formats one line like an `InputError`: location, defect, expected and received value."""
    return str(InputError(what, where=where, expected=expected, received=received))


_SHORT = reprlib.Repr()
_SHORT.maxlevel = 2
_SHORT.maxdict = _SHORT.maxlist = 3
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80


def shown(value: object) -> str:
    """Formats a value from outside as short printable ASCII, whatever its type or size."""
    try:
        text = _SHORT.repr(value)
    except ValueError:
        return "an integer of thousands of digits"
    return text.encode("ascii", "backslashreplace").decode()


class Dismissed(Exception):
    """Ends a worker that is no longer needed, without an error; caught in `cli.run`."""
