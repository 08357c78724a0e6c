"""Text of `--help`: the docstring of the command, then its flags in groups.

A group is a module that defines flags; its heading is the first line of the module's docstring.
The help text of a flag may begin with the kind of value, in capitals, and end with the default in
brackets: "FOLDER: Where the stores are kept. [that of the run]".
"""

import re
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from absl import flags

Defaults = Mapping[str, Mapping[str, Any]]
"""Defaults by flag name, for each circumstance such as "on the demo corpus"."""

_ASKING = {"-h", "--h", "-help", "--help", "-helpshort", "--helpshort", "-helpfull", "--helpfull"}
_WIDTH, _COLUMN, _LONGEST_CHOICES = 80, 26, 60
_TEXT = re.compile(r"(?:([A-Z]+): )?(.*?)(?: \[([^]]*)\])?", re.DOTALL)
# Text that absl appends to the help of a flag that may be repeated.
_REPEAT = ";\n    repeat this option to specify a list of values"


def asked_for(arguments: Iterable[str]) -> bool:
    """Whether a command line asks for help."""
    return not _ASKING.isdisjoint(arguments)


def page(docstring: str, other_defaults: Defaults) -> str:
    """Formats the help page of the running command, with its key flags as absl defines them.

    Args:
        docstring: Docstring of its module; indented paragraphs are kept unchanged.
        other_defaults: Values that the command uses instead of a flag's default, and when.
    """
    groups: dict[str, list[str]] = {}
    for flag in flags.FLAGS.get_key_flags_for_module("__main__"):
        module = sys.modules.get(flags.FLAGS.find_module_defining_flag(flag.name) or "")
        heading = ((module and module.__doc__) or "Flags of this command.").partition(".")[0]
        groups.setdefault(heading, []).append(_entry(flag, other_defaults))
    sections = [_filled(paragraph) for paragraph in docstring.strip("\n").split("\n\n")]
    sections += ["\n".join([f"{heading}:", *entries]) for heading, entries in groups.items()]
    return "\n\n".join(sections)


def is_required(flag: flags.Flag) -> bool:
    """Whether a command requires a flag."""
    alone = [one for one in flag.validators if len(one.get_flags_names()) == 1]
    return flag.default is None and not all(one.checker(None) for one in alone)


def _filled(paragraph: str) -> str:
    return paragraph if paragraph.startswith(" ") else textwrap.fill(paragraph, _WIDTH)


def _entry(flag: flags.Flag, other_defaults: Defaults) -> str:
    """Formats the lines of a flag: `--name=WHAT`, its meaning, its default."""
    takes, meaning, in_words = _parts(flag)
    default = "; ".join(_defaults(flag, other_defaults)) or in_words
    lines = textwrap.wrap(
        f"{meaning} [{default}]",
        _WIDTH - _COLUMN,
        break_long_words=False,
        break_on_hyphens=False,
    )
    head = f"  --[no]{flag.name}" if flag.boolean else f"  --{flag.name}={takes}"
    if len(head) + 2 <= _COLUMN:
        head = head.ljust(_COLUMN) + lines.pop(0)
    return f"\n{'':{_COLUMN}}".join([head, *lines])


def _parts(flag: flags.Flag) -> tuple[str, str, str]:
    """Splits a flag's help into the kind of value, the meaning and the default in words."""
    choices = getattr(flag.parser, "enum_values", [])
    text = flag.help.removeprefix(f"<{'|'.join(choices)}>: ").removesuffix(_REPEAT)
    unit, meaning, default = _TEXT.fullmatch(text).groups()  # type: ignore[union-attr]
    takes = unit or ("NUMBER" if flag.flag_type() in ("int", "float") else "TEXT")
    if len("|".join(choices)) > _LONGEST_CHOICES:
        meaning += f" One of {', '.join(choices)}."
    elif choices:
        takes = "|".join(choices)
    if isinstance(flag.parser, flags.ListParser):
        takes, meaning = f"{takes},...", f"{meaning} Comma-separated."
    if isinstance(flag, flags.MultiFlag):
        meaning += " Give it once for each."
    return takes, meaning, default or "none"


def _defaults(flag: flags.Flag, other_defaults: Defaults) -> Iterator[str]:
    """Yields a flag's defaults, with the circumstances if they depend on them."""
    found = {
        when: _said(values[flag.name])
        for when, values in other_defaults.items()
        if flag.name in values
    }
    own = None if flag.default in (None, []) else _said(flag.default)
    if own is not None:
        yield own
    elif not found and is_required(flag):
        yield "required"
    for value in dict.fromkeys(found.values()):
        if value != own:
            when = [one for one, held in found.items() if held == value]
            yield f"{value} {' and '.join(when)}"


def _said(value: Any) -> str:
    """Formats a value as on a command line."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
