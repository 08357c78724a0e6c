"""Numbers computed from those in files; their source is the formula, like `= sum(a.json#/list)`."""

from collections.abc import Sequence

from dcase_system.reporting.content import Document, Number, Sentence

SCENES = ("settings", "scenes")  # location of the class names in `config.json`


def counted(count: int | Number, noun: str) -> str:
    """Returns a count with its noun in the right number, such as `1 member`."""
    return f"{count} {plural(count, noun)}"


def plural(count: int | Number, noun: str, several: str = "") -> str:
    """Returns a noun in the number that a count needs."""
    value = count.value if isinstance(count, Number) else count
    return noun if value == 1 else several or f"{noun}s"


def length(document: Document, *keys: str | int) -> Number | None:
    """Returns the number of items in the list at this location; None if there are none."""
    found = document.get(*keys)
    if not isinstance(found, list) or not found:
        return None
    return Number(len(found), f"= count({document.place(*keys)})", "d")


def chance_level(classes: Number | None) -> Number | None:
    """Returns the macro accuracy in percent of a network that guesses, from `length`."""
    if classes is None:
        return None
    return Number(100 / classes.value, f"= 100 / {classes.source.removeprefix('= ')}")


def chance_of(config: Document) -> Sentence:
    """Returns the chance level of a run's classes; empty if they are not known."""
    classes = length(config, *SCENES)
    chance = chance_level(classes)
    if classes is None or chance is None:
        return ""
    return ["chance level ", chance, " % (", classes, f" {plural(classes, 'class', 'classes')})"]


def percentage(part: Number, whole: Number) -> Number | None:
    """Returns what percentage of a number another one is; None if the whole is zero."""
    if not whole.value:
        return None
    formula = f"= 100 * {part.source} / {whole.source}"
    return Number(100 * part.value / whole.value, formula)


def total(factor: Number, terms: Sequence[Number]) -> Number:
    """Returns a factor times the sum of terms."""
    value = factor.value * sum(term.value for term in terms)
    return Number(value, f"= {factor.source} * ({' + '.join(term.source for term in terms)})", ",")
