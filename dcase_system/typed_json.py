"""JSON values as frozen dataclasses, checked field by field."""

import types
import typing
from dataclasses import fields, is_dataclass
from typing import Any

from dcase_system.errors import InputError


def parse(value: Any, expected: Any, where: str, least: int = 1) -> Any:
    """Checks a JSON value against a type and converts it.

    Args:
        value: as `json.loads` gives it.
        expected: a dataclass, a tuple of a type, an optional type or a plain one.
        where: named in the error.
        least: what an integer has to be at least; a field's metadata may say another `minimum`.

    Raises:
        InputError: a field is missing, unknown or of the wrong type.
    """
    if isinstance(expected, types.UnionType):  # X | None
        if value is None:
            return None
        expected = next(item for item in typing.get_args(expected) if item is not type(None))
    if is_dataclass(expected):
        if not isinstance(value, dict):
            raise InputError("wrong type", where=where, expected="an object", received=value)
        hints = typing.get_type_hints(expected)
        minima = {field.name: field.metadata.get("minimum", 1) for field in fields(expected)}
        if value.keys() != minima.keys():
            raise InputError(
                "wrong fields",
                where=where,
                expected=", ".join(sorted(minima)),
                received=", ".join(sorted(value)),
            )
        return expected(
            **{
                name: parse(item, hints[name], f"{where}.{name}", minima[name])
                for name, item in value.items()
            }
        )  # type: ignore[operator]
    if isinstance(expected, types.GenericAlias):  # tuple[X, ...] or tuple[X, Y]
        items = typing.get_args(expected)
        if not isinstance(value, list | tuple) or (
            Ellipsis not in items and len(value) != len(items)
        ):
            raise InputError("wrong type", where=where, expected=expected, received=value)
        return tuple(parse(item, items[0], f"{where}[{index}]") for index, item in enumerate(value))
    if type(value) is not expected or (expected is int and value < least):
        wanted = expected.__name__
        if expected is int:
            wanted = "a positive integer" if least == 1 else f"an integer of at least {least}"
        raise InputError("wrong value", where=where, expected=wanted, received=repr(value))
    return value
