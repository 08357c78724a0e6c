"""What `--help` of a command prints: its docstring, then its flags in groups.

The help text of a flag may begin with what the flag takes, in capitals, and end with what holds if
it is not given, in brackets: "FOLDER: Where the stores are kept. [that of the run]".
"""

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from absl import flags

_ASKING = {"-h", "--h", "-help", "--help", "-helpshort", "--helpshort", "-helpfull", "--helpfull"}
_WIDTH, _COLUMN, _LONGEST_CHOICES = 80, 26, 60
_TEXT = re.compile(r"(?:([A-Z]+): )?(.*?)(?: \[([^]]*)\])?", re.DOTALL)
# What absl adds to the help text of a flag that may be repeated.
_REPEAT = ";\n    repeat this option to specify a list of values"


@dataclass(frozen=True, kw_only=True)
class Flags:
    """The flags of a command beside those that its own module defines, and what is said of all.

    Attributes:
        groups: flags of other modules, by the heading of their group.
        refused: flags in `groups` that have no meaning in this command.
        defaults: what the command takes for flags that are not given: by circumstances, such as
            "on the demo corpus" ("" for no particular ones), values by the flag's name.
        texts: by the flag's name, a help text in place of the flag's own.
    """

    groups: Mapping[str, Sequence[flags.FlagHolder]] = field(default_factory=dict)
    refused: Sequence[flags.FlagHolder] = ()
    defaults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


def asked_for(arguments: Iterable[str]) -> bool:
    """Whether a command line asks for help."""
    return not _ASKING.isdisjoint(arguments)


def page(docstring: str, own: Sequence[str], given: Flags) -> str:
    """The page of a command.

    Args:
        docstring: of its module; paragraphs that are indented are kept as they are.
        own: names of the flags that its module defines.
        given: its other flags.
    """
    refused = {flag.name for flag in given.refused}
    groups = {"Flags of this command": list(own)}
    for title, holders in given.groups.items():
        groups[title] = [flag.name for flag in holders if flag.name not in refused]
    sections = [_filled(paragraph) for paragraph in docstring.strip("\n").split("\n\n")]
    for title, names in groups.items():
        if names:
            sections.append("\n".join([f"{title}:", *(_entry(name, given) for name in names)]))
    return "\n\n".join(sections)


def is_required(flag: flags.Flag) -> bool:
    """Whether a command cannot do without a flag."""
    alone = [one for one in flag.validators if len(one.get_flags_names()) == 1]
    return flag.default is None and not all(one.checker(None) for one in alone)


def _filled(paragraph: str) -> str:
    return paragraph if paragraph.startswith(" ") else textwrap.fill(paragraph, _WIDTH)


def _entry(name: str, given: Flags) -> str:
    """The lines of a flag: `--name=WHAT`, its meaning, its default."""
    flag = flags.FLAGS[name]
    takes, meaning, in_words = _parts(flag, given.texts.get(name, flag.help))
    default = "; ".join(_defaults(flag, given.defaults)) or in_words
    lines = textwrap.wrap(
        f"{meaning} [{default}]",
        _WIDTH - _COLUMN,
        break_long_words=False,
        break_on_hyphens=False,
    )
    head = f"  --[no]{name}" if flag.boolean else f"  --{name}={takes}"
    if len(head) + 2 <= _COLUMN:
        head = head.ljust(_COLUMN) + lines.pop(0)
    return f"\n{'':{_COLUMN}}".join([head, *lines])


def _parts(flag: flags.Flag, text: str) -> tuple[str, str, str]:
    """What a flag takes, what it means, and in words what holds if it is not given."""
    choices = getattr(flag.parser, "enum_values", [])
    text = text.removeprefix(f"<{'|'.join(choices)}>: ").removesuffix(_REPEAT)
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


def _defaults(flag: flags.Flag, defaults: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What holds if a flag is not given, with the circumstances where it depends on them."""
    found = {when: _said(of[flag.name]) for when, of in defaults.items() if flag.name in of}
    if not found and is_required(flag):
        yield "required"
    elif not found and flag.default not in (None, []):
        yield _said(flag.default)
    for value in dict.fromkeys(found.values()):
        when = [one for one, held in found.items() if held == value]
        yield value if "" in when else f"{value} {' and '.join(when)}"


def _said(value: Any) -> str:
    """A value as it is written on a command line."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
