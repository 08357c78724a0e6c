"""Reads untrusted YAML: `yaml.safe_load` after stricter checks."""

from typing import Any

import yaml

from dcase_system.core.errors import InputError, shown

# A filled meta file is five levels deep. Without a limit the parser ends in a RecursionError.
_MAX_DEPTH = 20
_SCALARS = ("null", "bool", "int", "float", "str")
_ALLOWED_TAGS = frozenset({"!", *(f"tag:yaml.org,2002:{kind}" for kind in _SCALARS)})


def parse_yaml(text: str, where: str) -> Any:
    """Parses one YAML document.

    Rejects some documents that `yaml.safe_load` accepts: repeated keys (the first value would be
    lost silently), merge keys (nested ones grow without bound), deep nesting, and tags other than
    those of plain values.

    Raises:
        InputError: The text is not YAML or is rejected; the message names the line.
    """
    try:
        _refuse_structure(text, where)
        _refuse_repeated_keys(yaml.compose(text, Loader=yaml.SafeLoader), where)
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"not YAML ({_reason(error)})", where=where) from error
    except (ValueError, LookupError, ArithmeticError) as error:
        # YAML's patterns also match invalid values: `2024-13-45` looks like a date, `0x_` like an
        # integer, and PyYAML passes on whatever the conversion raises.
        if isinstance(error, InputError):
            raise
        reason = shown(str(error))
        raise InputError(f"a value that cannot be converted ({reason})", where=where) from error


def _refuse_structure(text: str, where: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        at = f"{where} line {event.start_mark.line + 1}"
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MAX_DEPTH:
            raise InputError("nested too deeply", where=at, expected=f"at most {_MAX_DEPTH} levels")
        tag = getattr(event, "tag", None)
        if tag is not None and tag not in _ALLOWED_TAGS:
            raise InputError("tag is not allowed", where=at, received=shown(tag))
        if isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]:
            raise InputError(
                "merge key is not allowed", where=at, expected="the fields written out"
            )


def _refuse_repeated_keys(root: yaml.Node | None, where: str) -> None:
    pending, visited = [root], set()
    while pending:
        node = pending.pop()
        # An alias leads to the same node again, possibly to one that contains it.
        if node is None or id(node) in visited:
            continue
        visited.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            pending.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            keys = set()
            for key, value in node.value:
                pending += [key, value]
                if isinstance(key, yaml.ScalarNode) and (key.tag, key.value) in keys:
                    line = key.start_mark.line + 1
                    raise InputError(
                        "field is given twice",
                        where=f"{where} line {line}",
                        received=shown(key.value),
                    )
                keys.add((key.tag, str(key.value)) if isinstance(key, yaml.ScalarNode) else id(key))


def _reason(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"{ascii(error.problem)[1:-1]}, line {error.problem_mark.line + 1}"
    return shown(str(error))
