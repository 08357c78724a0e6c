"""Defects of output files, one case each: rejected, with file, line and field."""

import pytest

from dcase_system.submission.entries import MAX_LINES

LABEL = "Lind_NIS_task1_1"
FOLDER = f"task1/{LABEL}"
OUTPUT = f"{FOLDER}/{LABEL}.output.split_25.csv"


def cell(line: int, column: int, value: str):
    def apply(rows: list[list[str]]) -> None:
        rows[line - 1][column] = value

    return apply


def columns_reordered(rows):
    for row in rows:
        row[2], row[3] = row[3], row[2]


def label_not_arg_max(rows):
    least = min(range(2, 12), key=lambda column: float(rows[2][column]))
    rows[2][1] = rows[0][least]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (cell(1, 0, "file"), ["line 1", "lacks field filename"]),
        (cell(1, 2, "forest"), ["line 1", "lacks field airport"]),
        (columns_reordered, ["line 1", "official order"]),
        (lambda rows: [row.append("0") for row in rows], ["line 1", "extra columns"]),
        (lambda rows: rows.pop(0), ["line 1", "lacks field filename"]),
        (lambda rows: rows.clear(), ["line 1", "empty"]),
        (lambda rows: rows[3].append("0"), ["line 4", "number of fields", "received 13"]),
        (lambda rows: rows.insert(4, []), ["line 5", "number of fields"]),
        (lambda rows: rows.pop(7), ["filename", "missing", "received 49", "6.wav"]),
        (cell(5, 0, "0.wav"), ["line 5 field filename", "twice"]),
        (cell(5, 0, "audio/0.wav"), ["line 5 field filename", "twice"]),
        (cell(5, 0, "3.mp3"), ["line 5 field filename", "evaluation list", "'3.mp3'"]),
        (cell(5, 0, "50.wav"), ["line 5 field filename", "evaluation list"]),
        (cell(5, 0, "-1.wav"), ["line 5 field filename", "evaluation list"]),
        (cell(5, 0, "003.wav"), ["line 5 field filename", "evaluation list"]),
        (cell(5, 0, "other/3.wav"), ["line 5 field filename", "evaluation list"]),
        (cell(5, 1, "forest"), ["line 5 field scene_label", "'forest'"]),
        (cell(5, 2, "abc"), ["line 5 field airport", "not a number", "'abc'"]),
        (cell(5, 3, "nan"), ["line 5 field bus", "'nan'"]),
        (cell(5, 3, "inf"), ["line 5 field bus", "'inf'"]),
        (cell(5, 3, "1e999"), ["line 5 field bus", "out of range"]),
        (cell(5, 3, "0_1"), ["line 5 field bus", "'0_1'"]),
        (cell(5, 3, " 0.1"), ["line 5 field bus"]),
        (cell(5, 3, "\u0663"), ["line 5 field bus"]),
        (cell(5, 3, ""), ["line 5 field bus"]),
        (cell(5, 11, "-0.1"), ["line 5 field tram", "out of range"]),
        (cell(5, 11, "3.0"), ["line 5 field tram", "out of range"]),
        (
            lambda rows: rows[4].__setitem__(slice(2, 12), ["0"] * 10),
            ["line 5", "airport", "sum to 1"],
        ),
        (
            lambda rows: rows[4].__setitem__(slice(2, 12), ["0.11"] * 10),
            ["line 5", "sum to 1", "1.1"],
        ),
        (label_not_arg_max, ["line 3 field scene_label", "most probable"]),
    ],
)
def test_output_defects(files, validate, change, named, assert_rejected):
    rows = [line.split("\t") for line in files[OUTPUT].decode().splitlines()]
    change(rows)
    files[OUTPUT] = "".join("\t".join(row) + "\n" for row in rows).encode()
    assert_rejected(validate(files), OUTPUT, *named)


@pytest.mark.parametrize(
    ("rewrite", "named"),
    [
        (lambda text: text.replace(b"\t", b","), ["line 1", "not tab-separated"]),
        (lambda text: b"\xef\xbb\xbf" + text, ["line 1", "byte order mark"]),
        (lambda text: text.decode().encode("utf-16"), ["UTF-8"]),
        (lambda text: text.replace(b"bus\t0", b"b\xffs\t0"), ["UTF-8"]),
        (lambda text: text.replace(b"\n4.wav", b'\n"4.wav'), ["not a tab-separated table"]),
        (lambda text: text.replace(b"\n4.wav", b"\n4\0.wav"), []),
        (lambda text: text + b"\t" * 200_000, ["unpacks to too much"]),
        (lambda text: text + b"x" * 110_000, []),
    ],
)
def test_output_that_is_no_table(files, validate, rewrite, named, assert_rejected):
    files[OUTPUT] = rewrite(files[OUTPUT])
    assert_rejected(validate(files), OUTPUT, *named)


def test_what_outputs_may_do(files, validate):
    header, *rows = files[OUTPUT].decode().splitlines()
    rows[0] = "\t".join(["audio/0.wav", "bus", "0.25", "0.25", "0.25", "2.5E-1", *["0"] * 6])
    files[OUTPUT] = "\r\n".join([header, *reversed(rows)]).encode()
    assert validate(files).errors == ()


def test_number_of_lines_is_limited(files, validate):
    files[OUTPUT] = files[OUTPUT].replace(b".wav", b".mp3")
    report = validate(files)
    assert len(report.errors) == MAX_LINES + 1
    assert f"more than {MAX_LINES} defects" in report.errors[-1]
