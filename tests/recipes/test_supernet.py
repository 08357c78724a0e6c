"""The supernet's recipe at toy scale: everything it writes, kept the second time."""

import json

import pytest

from tests.commands import run, tiny_clips, too_wide
from tests.training.curves import assert_drawn

RECIPE = "recipes.audioset_supernet"
TOY = [
    "--corpus=mixtures",
    "--mixtures=48,32,32",
    "--width=0.0625",
    "--batch_size=16",
    "--draws=3",
    "--teacher_epochs=1",
    "--largest_epochs=1",
    "--samples_epochs=1",
    "--alone_epochs=1",
    "--tuning_epochs=1,2",
]


@pytest.mark.slow
def test_a_run_shows_its_tables_and_figures_and_is_kept(place):
    flags = tiny_clips(place)
    out = place / "supernet"
    done = run(RECIPE, *flags, *TOY, f"--output_dir={out}")
    assert done.returncode == 0, done.stderr
    results = json.loads((out / "results.json").read_text())
    assert len(results["table1"]) == len(results["table2"]) == 3
    assert all(0 < row["ofa"] <= 1 for row in results["table1"])
    for name in ("table1", "table2", "figure-figure3", "figure-figure4"):
        assert f'id="{name}"' in (out / "report.html").read_text()
    assert too_wide(done) == []
    for log in (out / "metrics").iterdir():
        assert_drawn(log, out / "tensorboard" / log.stem)
    # the sub-network that is cut out scores what the supernet does with it
    for one, two in zip(results["table1"], results["table2"], strict=True):
        assert two["inherited"] == pytest.approx(one["ofa"], abs=1e-3)
    again = run(RECIPE, *flags, *TOY, f"--output_dir={out}")
    assert again.returncode == 0, again.stderr
    assert "epoch" not in again.stderr
    assert json.loads((out / "results.json").read_text()) == results


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--epochs=3"], "no meaning in this command: --epochs"),
        (["--mixtures=1,2"], "--mixtures: wrong list; expected 3 positive integers; received 1,2"),
        (["--patterns=2,5,X"], "search space: depth_pattern is wrong"),
        (["--corpus=audioset"], "class_labels_indices.csv: list is missing"),
    ],
)
def test_wrong_flags_end_in_one_line(place, given, message):
    flags = tiny_clips(place)
    done = run(RECIPE, *flags, *TOY, *given, f"--output_dir={place / 'wrong'}")
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (place / "wrong" / "teacher").exists()
