"""Numbers computed from those in files; their source is the formula, like `= sum(a.json#/list)`."""

from collections.abc import Sequence

from dcase_system.reporting.numbers import Document, Number, Sentence

SCENES = ("settings", "scenes")  # location of the class names in `config.json`


def counted(count: int | Number, noun: str) -> str:
    """Returns a count with its noun in the right number, such as `1 member`."""
    return f"{count} {plural(count, noun)}"


def plural(count: int | Number, noun: str, several: str = "") -> str:
    """Returns a noun in the number that a count needs."""
    value = count.value if isinstance(count, Number) else count
    return noun if value == 1 else several or f"{noun}s"


def joined(first: Sentence, second: Sentence) -> Sentence:
    """Joins two remarks, each of which may be empty."""
    return [*first, "; ", *second] if first and second else first or second


def length(document: Document, *keys: str | int) -> Number | None:
    """Returns the number of items in the list at this location; None if there are none."""
    found = document.get(*keys)
    if not isinstance(found, list) or not found:
        return None
    return Number(len(found), f"= count({document.place(*keys)})", "d")


def chance_level(classes: Number | None) -> Number | None:
    """Returns the macro accuracy in percent of a network that guesses, from `length`."""
    if classes is None or classes.value < 1:
        return None
    return Number(100 / classes.value, f"= 100 / {classes.source.removeprefix('= ')}")


def chance_of(config: Document) -> Sentence:
    """Returns the chance level of a run's classes; empty if they are not known."""
    return chance_sentence(length(config, *SCENES))


def chance_sentence(classes: Number | None) -> Sentence:
    """Returns the chance level of this many classes; empty if they are not known."""
    chance = chance_level(classes)
    if classes is None or chance is None:
        return ""
    return ["chance level ", chance, " % (", classes, f" {plural(classes, 'class', 'classes')})"]


def interval_of(document: Document, *keys: str | int, scale: float = 1.0) -> Sentence:
    """Returns the 95 % interval at this location in words; empty if there is none."""
    low, high = (document.number(*keys, end, scale=scale) for end in (0, 1))
    return ["95 % interval ", low, " to ", high] if low and high else ""


def chance_precision_of(document: Document, *keys: str | int) -> Sentence:
    """Returns the mean average precision of random scores at this location; empty if unknown."""
    chance = document.number(*keys, scale=100.0)
    return ["chance level ", chance, " % (mean share of clips with a class)"] if chance else ""


def percentage(part: Number, whole: Number) -> Number | None:
    """Returns what percentage of a number another one is; None if it is no part of it."""
    if not 0 < part.value <= whole.value:
        return None
    formula = f"= 100 * {part.source} / {whole.source}"
    return Number(100 * part.value / whole.value, formula)


def total(factor: Number, terms: Sequence[Number]) -> Number:
    """Returns a factor times the sum of terms."""
    # As floats, because very large integers in a broken file would raise.
    value = float(factor.value) * sum(float(term.value) for term in terms)
    return Number(
        value, f"= {factor.source} * ({' + '.join(term.source for term in terms)})", ",.0f"
    )
