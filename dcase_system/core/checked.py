"""Validates JSON and YAML values as dataclasses with pydantic, and words the errors."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Annotated, Any, LiteralString, Union, get_args, get_origin, get_type_hints

import pydantic  # loads its parts on first use: 0.1 s
import pydantic_core
from annotated_types import Ge

from dcase_system.core.errors import InputError, defect, shown

NotNegative = Annotated[int, Ge(0)]
"""A whole number of a spec where 0 means none; all others are at least 1."""

# Pydantic's error types, with our wording of the defect and of the expected value; all others are
# "wrong value".
_WORDS = {
    "tuple_type": ("not a list", ""),
    "too_short": ("too few items", "at least {min_length}"),
    "too_long": ("too many items", "at most {max_length}"),
    "greater_than_equal": ("wrong value", "at least {ge}"),
}
_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument", "invalid_key")
_MAPPINGS = ("dict_type", "dataclass_type")
_EXACT: dict[str, dict[str, Any]] = {
    "bool": {"strict": True},
    "float": {"strict": True, "allow_inf_nan": False},
    "int": {"strict": True, "ge": 1},
    "str": {"strict": True},
}


def defects(value: Any, kind: Any, where: str, context: Any = None) -> Iterator[str]:
    """Yields one line for each defect of a value.

    Args:
        value: Value to check, of any type.
        kind: Type that it should have.
        where: Location of the value, printed before the names of its fields.
        context: Context for the validators of fields.
    """
    try:
        _adapter(kind).validate_python(value, context=context)
    except pydantic.ValidationError as error:
        yield from _lines(error, kind, value, where)


def parsed(value: Any, kind: Any, where: object, *, exact: bool = True) -> Any:
    """Converts a value of JSON or YAML to a dataclass; refuses unknown fields.

    Args:
        value: Value from `json.loads` or YAML.
        kind: A dataclass, or `Annotated` with `OfKind`.
        where: The file, named in the error.
        exact: Whether the value must be complete, as in the files that we write: all fields are
            present, nothing is converted, numbers are finite, and whole numbers are at least 1
            unless they are `NotNegative`.

    Raises:
        InputError: The value does not fit the dataclass; names all defects.
    """
    try:
        return (_exact if exact else _adapter)(kind).validate_python(value, extra="forbid")
    except pydantic.ValidationError as error:
        raise InputError.of_lines(where, _lines(error, kind, value)) from error


@cache
def _adapter(kind: Any) -> "pydantic.TypeAdapter[Any]":
    return pydantic.TypeAdapter(kind)


@cache
def _exact(kind: Any) -> pydantic_core.SchemaValidator:
    return pydantic_core.SchemaValidator(_in_full(pydantic.TypeAdapter(kind).core_schema))


def _in_full(schema: Any) -> Any:
    """Returns the schema without defaults and conversions."""
    if isinstance(schema, list):
        return [_in_full(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "default":
        return _in_full(schema["schema"])
    exact = _EXACT.get(schema.get("type", ""), {})
    return exact | {key: _in_full(item) for key, item in schema.items()}


@dataclass(frozen=True, eq=False)
class OfKind:
    """Annotates a union of dataclasses that the field `kind` of the JSON selects from.

    Attributes:
        kinds: Dataclasses by kind.
        wrong: Error text for a value that is none of them.
    """

    kinds: Mapping[str, type]
    wrong: LiteralString

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable) -> Any:
        return pydantic_core.core_schema.no_info_plain_validator_function(self._read)

    def _read(self, value: Any) -> Any:
        kind = value.get("kind") if isinstance(value, dict) else value
        if not isinstance(value, dict) or not isinstance(kind, str) or kind not in self.kinds:
            raise fault(self.wrong, f"kind {' | '.join(self.kinds)}", received=kind)
        own = {name: item for name, item in value.items() if name != "kind"}
        return _exact(self.kinds[kind]).validate_python(own, extra="forbid")


def fault(
    what: LiteralString, expected: str = "", *, at: str = "", received: object = ...
) -> pydantic_core.PydanticCustomError:
    """Returns the error for a validator to raise.

    Args:
        what: Description of the defect, without braces.
        expected: Description of the expected value.
        at: Field at fault, for a check of several fields.
        received: Received value; by default the checked value itself.
    """
    context = {"expected": expected, "at": at}
    if received is not ...:
        context["received"] = shown(received)  # a malformed string would break the error
    return pydantic_core.PydanticCustomError("ours", what, context)


def says(what: LiteralString, expected: str = "") -> Any:
    """Annotates a type with the error text for other values; must follow its other annotations."""

    def check(value: Any, handler: Callable[[Any], Any]) -> Any:
        try:
            return handler(value)
        except pydantic.ValidationError:
            raise fault(what, expected) from None

    return pydantic.WrapValidator(check)


def _lines(
    error: pydantic.ValidationError, kind: Any, value: Any, where: str = ""
) -> Iterator[str]:
    """One line for each defect that pydantic found."""
    for found in error.errors(include_url=False):
        name, place, context = found["type"], [*found["loc"]], found.get("ctx", {})
        what, expected = "wrong value", found["msg"].removeprefix("Input should be ")
        received: str | None = shown(found["input"])
        if name == "missing":
            key = place.pop()
            what = f"required {'field' if isinstance(key, str) else 'item'} {key!r} is missing"
            expected, received = "", None
        elif name in _UNKNOWN:
            key = place.pop()
            what, expected = "unknown field", _fields(kind, place)
            received = received if name == "invalid_key" else shown(key)
        elif name in _MAPPINGS:
            what, expected = "not a mapping", _fields(kind, place)
        elif name in _WORDS:
            what, expected = _WORDS[name][0], _WORDS[name][1].format(**context)
        elif name == "ours":
            what, expected = found["msg"], context["expected"]
            received = context.get("received", received)
            place += context["at"].split()
        elif name == "value_error":  # an InputError of the dataclass itself
            what, expected, received = str(context["error"]), "", None
        path = _path(place, value)
        at = " ".join(filter(None, (where, path and f"field {path}"))) or "top level"
        yield defect(at, what, expected=expected or None, received=received)


def _path(place: list[int | str], value: Any) -> str:
    """Formats a location as text, such as `authors[0].email`."""
    text = ""
    for part in place:
        holds = isinstance(value, dict) and part in value
        if isinstance(value, list | tuple) and isinstance(part, int):
            text += f"[{part}]"
            value = value[part] if part < len(value) else None
        # Otherwise this is pydantic's mark of a key, or the index of a single item given as such.
        elif part != "[key]" and (holds or isinstance(part, str)):
            text += f".{part}" if text else str(part)
            value = value[part] if holds else None
    return text


def _fields(kind: Any, place: list[int | str]) -> str:
    """Field names of the dataclass at a location in a type, if there is exactly one."""
    for part in (*place, None):
        inner = get_args(kind)
        if get_origin(kind) in (Union, UnionType):  # X | None
            kind, inner = inner[0] if len(inner) == 2 else None, get_args(inner[0])
        hints = get_type_hints(kind) if hasattr(kind, "__annotations__") else {}
        if part is not None:
            kind = inner[0 if isinstance(part, int) else -1] if inner else hints.get(str(part))
    return ", ".join(hints)
