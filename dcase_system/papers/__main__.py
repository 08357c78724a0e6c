"""Lists every table and figure of the three papers, with our command for it and its needs.

python -m dcase_system.papers
python -m dcase_system.papers --rows
python -m dcase_system.papers RUN...     # which of them these run directories hold
"""

import json
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from absl import flags

from dcase_system.core import cli
from dcase_system.papers import ofa_aec, scene_search, sscp_mobile
from dcase_system.papers.published import Published, found_in

_WIDTH = 80
ALL: tuple[Published, ...] = (
    *sscp_mobile.PUBLISHED,
    *ofa_aec.PUBLISHED,
    *scene_search.PUBLISHED,
)


def main(argv: Sequence[str]) -> None:
    if flags.FLAGS.json:
        print(json.dumps([_as_json(one, argv[1:]) for one in ALL], indent=2))
    else:
        print("\n\n".join("\n".join(_lines(one, argv[1:])) for one in ALL))


def _lines(one: Published, run_dirs: Sequence[str]) -> Iterator[str]:
    yield from textwrap.wrap(f"{one.paper}, {one.name}: {one.title}", _WIDTH)
    for what, text in (
        ("measured on", one.corpus),
        ("command", one.command),
        ("needs", one.needs),
        ("takes", one.hours),
        *(("in " + name, _state(one, name)) for name in run_dirs),
    ):
        yield from textwrap.wrap(
            f"{what}: {text}",
            _WIDTH,
            initial_indent="  ",
            subsequent_indent="    ",
            break_on_hyphens=False,
            break_long_words=False,
        )
    if flags.FLAGS.rows:
        yield from _printed(one)


def _printed(one: Published) -> Iterator[str]:
    """Formats the rows as printed in the paper."""
    rows = [
        [*map(str, one.columns)],
        *([("–" if cell is None else str(cell)) for cell in row] for row in one.rows),
    ]
    widths = [max(len(row[at]) for row in rows) for at in range(len(one.columns))]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        yield f"    {'  '.join(cells).rstrip()}"


def _state(one: Published, run_dir: str) -> str:
    if not one.results:
        return "printed by its command, not stored in a run directory"
    missing = [name for name in one.results if not found_in(Path(run_dir), name)]
    return f"missing ({', '.join(missing)})" if missing else "present"


def _as_json(one: Published, run_dirs: Sequence[str]) -> dict:
    return {
        **{key: getattr(one, key) for key in ("paper", "name", "title", "corpus")},
        "rows": [dict(zip(one.columns, row, strict=True)) for row in one.rows],
        **{key: getattr(one, key) for key in ("command", "needs", "hours")},
        "results": list(one.results),
        "state": {name: _state(one, name) for name in run_dirs},
    }


# Flags are global to a process: defined on import, they would collide with a recipe's flags.
def _define_flags() -> None:
    flags.DEFINE_bool("rows", False, "Print the rows as published.")
    flags.DEFINE_bool("json", False, "Print one JSON document.")


if __name__ == "__main__":
    _define_flags()
    cli.run(main, takes_arguments=True)
