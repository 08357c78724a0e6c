"""Validates output files, row by row."""

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet

from dcase_system.core.errors import defect, shown

SUM_TOLERANCE = 1e-3
"""How far the sum of a clip's probabilities may deviate from 1.

A float16 softmax rounds each value by up to 2^-11 of it, 4.9e-4 of the sum; ten values
printed with four decimals add up to 5e-4. A larger deviation is not a softmax.
"""
RANGE_TOLERANCE = 1e-6
"""How far a probability may leave [0, 1]: a float32 softmax can give 1.0000001."""

# `float` also accepts `nan`, `inf`, `1_0`, blanks and digits of other scripts. Matching a whole row
# is cheaper than matching each field.
_PLAIN_NUMBERS = re.compile(r"[0-9eE.+\t-]*").fullmatch
_LOWEST, _HIGHEST = -RANGE_TOLERANCE, 1.0 + RANGE_TOLERANCE


def bare_names(filenames: Collection[str]) -> frozenset[str]:
    """Returns clip names without the folder `audio/`, which output files may include or omit."""
    return frozenset(name.removeprefix("audio/") for name in filenames)


def output_defects(
    lines: Iterable[str], where: str, scenes: Sequence[str], clips: AbstractSet[str]
) -> Iterator[str]:
    """Yields one line for each defect of an output file.

    Args:
        lines: Text of the file, line by line.
        where: Name of the file.
        scenes: Names of the class columns, in order.
        clips: Bare names of all clips in the evaluation list.
    """
    reader = csv.reader(lines, delimiter="\t", strict=True)
    try:
        header = next(reader, None)
        wrong = header_defect(header, where, ["filename", "scene_label", *scenes])
        if wrong:
            yield wrong
        else:
            yield from _row_defects(reader, where, scenes, clips)
    except csv.Error as error:
        yield defect(f"{where} line {reader.line_num}", f"not a tab-separated table ({error})")
    except UnicodeDecodeError:
        yield defect(f"{where} after line {reader.line_num}", "not UTF-8 text")


def header_defect(header: list[str] | None, where: str, columns: list[str]) -> str | None:
    """Returns the defect of the header row, or None."""
    if header == columns:
        return None
    expected = f"tab-separated {' '.join(columns)}"
    if not header:
        return defect(f"{where} line 1", "file is empty or has no header row", expected=expected)
    if len(header) == 1:
        what = "header row is not tab-separated"
    elif header[0].startswith("\ufeff"):
        what = "file starts with a byte order mark"
    elif missing := [column for column in columns if column not in header]:
        what = f"header row lacks field {missing[0]}"
    elif len(header) > len(columns):
        what = "header row has extra columns"
    else:
        what = "columns are not in the official order"
    return defect(f"{where} line 1", what, expected=expected, received=shown(" ".join(header)))


def _row_defects(
    reader: Iterator[list[str]], where: str, scenes: Sequence[str], clips: AbstractSet[str]
) -> Iterator[str]:
    width = len(scenes) + 2
    index_of = {scene: index for index, scene in enumerate(scenes)}
    seen: set[str] = set()
    for line, row in enumerate(reader, 2):
        if len(row) != width:
            yield defect(
                f"{where} line {line}", "wrong number of fields", expected=width, received=len(row)
            )
            continue
        name, scene, *texts = row
        bare = name.removeprefix("audio/")
        if bare in seen:
            yield defect(
                f"{where} line {line} field filename", "clip is listed twice", received=shown(name)
            )
        elif bare in clips:
            seen.add(bare)
        else:
            yield _unknown_clip(f"{where} line {line} field filename", name, clips)
        index = index_of.get(scene)
        if index is None:
            yield defect(
                f"{where} line {line} field scene_label",
                "unknown scene",
                expected=", ".join(scenes),
                received=shown(scene),
            )
        try:
            values = [float(text) for text in texts] if _PLAIN_NUMBERS("\t".join(texts)) else None
        except ValueError:
            values = None
        if values is None or min(values) < _LOWEST or max(values) > _HIGHEST:
            yield from _field_defects(texts, f"{where} line {line}", scenes)
        elif not abs(sum(values) - 1.0) <= SUM_TOLERANCE:
            yield defect(
                f"{where} line {line} fields {scenes[0]} to {scenes[-1]}",
                "class probabilities do not sum to 1",
                expected=f"1 within {SUM_TOLERANCE:g}",
                received=f"{sum(values):.6g}",
            )
        elif index is not None and values[index] < max(values):
            yield defect(
                f"{where} line {line} field scene_label",
                "not the most probable scene",
                expected=scenes[values.index(max(values))],
                received=scene,
            )
    if len(seen) < len(clips):
        first = min(clips - seen, key=lambda name: (len(name), name))
        yield defect(
            f"{where} field filename",
            f"clips are missing, the first is {shown(first)}",
            expected=f"{len(clips)} clips",
            received=len(seen),
        )


def _unknown_clip(where: str, name: str, clips: AbstractSet[str]) -> str:
    # An example is more helpful than the whole list, which may be empty.
    example = min(clips, default="", key=lambda clip: (len(clip), clip))
    return defect(
        where,
        "clip is not in the evaluation list",
        expected=f"one of {len(clips)} names such as {shown(example)}",
        received=shown(name),
    )


def _field_defects(texts: list[str], where: str, scenes: Sequence[str]) -> Iterator[str]:
    for scene, text in zip(scenes, texts, strict=True):
        try:
            value = float(text) if _PLAIN_NUMBERS(text) else None
        except ValueError:
            value = None
        if value is None or not _LOWEST <= value <= _HIGHEST:
            what = "not a number" if value is None else "probability out of range"
            yield defect(
                f"{where} field {scene}",
                what,
                expected="a number from 0 to 1",
                received=shown(text),
            )
