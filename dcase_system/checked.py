"""Values from outside (what JSON or YAML gives) as dataclasses: pydantic checks, we word."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import pydantic  # its parts are loaded when they are first used: 0.1 s
import pydantic_core
from annotated_types import Ge

from dcase_system.errors import InputError, defect, shown

NotNegative = Annotated[int, Ge(0)]
"""Of a spec, where 0 means none; other whole numbers of specs are at least 1."""

# What pydantic calls a defect, and what and what expected we call it; others are wrong values.
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
        value: to be checked, of any type.
        kind: the type that it should have.
        where: the place of the value, in front of its fields'.
        context: for the validators of fields.
    """
    try:
        _adapter(kind).validate_python(value, context=context)
    except pydantic.ValidationError as error:
        yield from _lines(error, kind, value, where)


def from_yaml(value: Any, kind: Any, where: object) -> Any:
    """The dataclass that what YAML gives describes; it has no other fields.

    Raises:
        InputError: it does not describe one; names all defects.
    """
    try:
        return _adapter(kind).validate_python(value, extra="forbid")
    except pydantic.ValidationError as error:
        raise InputError.of_lines(where, _lines(error, kind, value)) from error


def from_json(value: Any, kind: Any, where: object) -> Any:
    """The dataclass that a JSON value of a file of ours describes.

    Such a file says everything: defaults do not stand in for fields, no value is converted, numbers
    are finite, and whole ones count something: at least 1, if the type is not `NotNegative`.

    Args:
        value: as `json.loads` gives it.
        kind: a dataclass, or `Annotated` with `OfKind`.
        where: the file, named in the error.

    Raises:
        InputError: it does not describe one; names all defects.
    """
    try:
        return _exact(kind).validate_python(value, extra="forbid")
    except pydantic.ValidationError as error:
        raise InputError.of_lines(where, _lines(error, kind, value)) from error


@cache
def _adapter(kind: Any) -> "pydantic.TypeAdapter[Any]":
    return pydantic.TypeAdapter(kind)


@cache
def _exact(kind: Any) -> pydantic_core.SchemaValidator:
    return pydantic_core.SchemaValidator(_in_full(pydantic.TypeAdapter(kind).core_schema))


def _in_full(schema: Any) -> Any:
    """The schema without defaults and conversions."""
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
    """Annotates a value that is one of some dataclasses: the field `kind` of its JSON says which.

    Attributes:
        kinds: the dataclasses by kind.
        what: one of them, in messages, such as `a front end`.
    """

    kinds: Mapping[str, type]
    what: str

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable) -> Any:
        return pydantic_core.core_schema.no_info_plain_validator_function(self._read)

    def _read(self, value: Any) -> Any:
        kind = value.get("kind") if isinstance(value, dict) else value
        if not isinstance(value, dict) or not isinstance(kind, str) or kind not in self.kinds:
            raise fault(f"not {self.what}", f"kind {' | '.join(self.kinds)}", received=kind)
        own = {name: item for name, item in value.items() if name != "kind"}
        return _exact(self.kinds[kind]).validate_python(own, extra="forbid")


def fault(what: str, expected: object = None, **more: object) -> pydantic_core.PydanticCustomError:
    """What a validator raises.

    Args:
        what: is wrong, in braceless words.
        expected: instead, in words.
        more: `received` where it is not the value itself, `at` the field that a check of several
            fields is about.
    """
    return pydantic_core.PydanticCustomError("ours", what, {"expected": expected, **more})  # type: ignore[arg-type]


def says(what: str, expected: str | None = None) -> Any:
    """Annotates a type with the words for what is none; annotations before it make the type."""

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
        name, place, context = found["type"], found["loc"], found.get("ctx", {})
        expected: str | None = None
        received: str | None = shown(found["input"])
        if name == "missing":
            *above, key = place
            what = f"required {'field' if isinstance(key, str) else 'item'} {key!r} is missing"
            place, received = tuple(above), None
        elif name in _UNKNOWN:
            *above, key = place
            what, expected, place = "unknown field", _fields(kind, above), tuple(above)
            received = received if name == "invalid_key" else shown(key)
        elif name in _MAPPINGS:
            what, expected = "not a mapping", _fields(kind, place)
        elif name == "ours":
            what, expected = found["msg"], context["expected"]
            received = shown(context["received"]) if "received" in context else received
            place = (*place, *([context["at"]] if "at" in context else []))
        elif name == "value_error":
            what, received = str(context["error"]), None
        elif name in _WORDS:
            what, words = _WORDS[name]
            expected = words.format(**context) or None
        else:
            what, expected = "wrong value", found["msg"].removeprefix("Input should be ")
        path = _path(place, value)
        at = " ".join(filter(None, (where, path and f"field {path}")))
        yield defect(at or "top level", what, expected=expected, received=received)


def _path(place: tuple[int | str, ...], value: Any) -> str:
    """A place as text, such as `authors[0].email`."""
    text = ""
    for part in place:
        if isinstance(value, list | tuple) and isinstance(part, int):
            text += f"[{part}]"
            value = value[part] if part < len(value) else None
        elif part != "[key]" and (isinstance(part, str) or _holds(value, part)):
            text += f".{part}" if text else str(part)
            value = value[part] if _holds(value, part) else None
    return text


def _holds(value: Any, key: int | str) -> bool:
    return isinstance(value, dict) and key in value


def _fields(kind: Any, place: Iterable[int | str]) -> str | None:
    """The fields of the block at a place in a type; None if it is not one block."""
    for part in place:
        kind = _given(kind)
        if get_origin(kind):
            kind = get_args(kind)[0 if isinstance(part, int) else -1]
        else:
            kind = _hints(kind).get(str(part))
    return ", ".join(_hints(_given(kind))) or None


def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind) if hasattr(kind, "__annotations__") else {}


def _given(kind: Any) -> Any:
    """X of `X | None`."""
    if get_origin(kind) not in (Union, UnionType):
        return kind
    kinds = [one for one in get_args(kind) if one is not NoneType]
    return kinds[0] if len(kinds) == 1 else None
