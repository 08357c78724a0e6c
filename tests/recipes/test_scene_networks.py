"""The recipe of Table 4 at toy scale: its columns, kept the second time, refusals."""

import json

import pytest

from dcase_system.core.files import write_json
from dcase_system.corpora.demo import STEREO_TINY
from dcase_system.models import registry
from dcase_system.reporting.content import Table
from dcase_system.reporting.scene_networks import scene_networks_page
from tests.commands import TOY as ONE_EPOCH
from tests.commands import run, tiny_clips, too_wide
from tests.reporting.tracing import traced

RECIPE = "recipes.scene_networks"


@pytest.fixture(scope="module")
def flags(stereo):
    shared = [flag for flag in stereo if "evaluation" not in flag]
    return [*shared, f"--seconds={STEREO_TINY.seconds}", *ONE_EPOCH]


@pytest.mark.slow
def test_table_4_is_written_by_one_command_and_kept(flags, tmp_path):
    """All networks of the paper's Table 4, with its rows beside ours."""
    done = run(RECIPE, *flags, f"--output_dir={tmp_path}")
    assert done.returncode == 0, done.stderr
    assert too_wide(done) == []
    page = scene_networks_page(tmp_path)
    tables = {table.name: table for table in page.blocks(Table)}
    table = tables["table4"]
    assert list(table.columns) == [
        *("network", "precision", "size MiB", "accuracy %", "macro %", "loss"),
        *("published size", "published accuracy"),
    ]
    beside = {(row[0], row[1]): (str(row[2]), row[6], row[7]) for row in table.rows}
    assert beside == {
        ("alexnet_modified", "float32"): ("33.78", "33.8 MB", "95.5 %"),
        ("mobilenet_v1", "float32"): ("12.24", "12.2 MB", "94.8 %"),
        ("mobilenet_v2", "float32"): ("8.50", "8.5 MB", "94.4 %"),
        ("shufflenet_v2", "float32"): ("4.79", "4.8 MB", "94.0 %"),
        ("scene_a", "float32"): ("0.42", "0.42 MB", "95.6 %"),
        ("scene_a", "float16"): ("0.21", "0.21 MB", "95.6 %"),
        ("scene_a_table3", "float32"): ("0.41", "0.42 MB", "95.6 %"),
        ("scene_a_table3", "float16"): ("0.21", "0.21 MB", "95.6 %"),
        ("scene_b", "float32"): ("0.29", "0.29 MB", "95.8 %"),
        ("scene_b", "float16"): ("0.15", "0.15 MB", "95.8 %"),
        ("scene_b_table3", "float32"): ("0.29", "0.29 MB", "95.8 %"),
        ("scene_b_table3", "float16"): ("0.15", "0.15 MB", "95.8 %"),
    }
    printed = tables["table3"]
    for model in "ab":
        ours = [row[printed.columns.index(f"scene_{model}_table3")] for row in printed.rows]
        theirs = [
            row[printed.columns.index(f"published Model {model.upper()}")] for row in printed.rows
        ]
        assert ours == theirs
    assert traced((tmp_path / "report.html").read_text(), tmp_path) > 60
    again = run(RECIPE, *flags, f"--output_dir={tmp_path}")
    assert again.returncode == 0, again.stderr
    assert "epoch" not in again.stderr
    assert again.stdout == done.stdout


@pytest.mark.slow
def test_a_network_is_named_by_the_file_of_its_spec(flags, tmp_path):
    path = tmp_path / "spec.json"
    write_json(path, registry.spec_to_json(registry.named_spec("scene_b")))
    done = run(RECIPE, *flags, f"--networks={path}", f"--output_dir={tmp_path / 'run'}")
    assert done.returncode == 0, done.stderr
    (network,) = json.loads((tmp_path / "run" / "results.json").read_text())["networks"]
    assert network["name"].startswith("spec-")
    assert network["complexity"]["params"] == 76_611


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--networks=resnet"], "unknown architecture; expected cp_mobile |"),
        (["--networks=none.json"], "none.json: spec cannot be read"),
        (["--networks=cnn10"], "cnn10: network does not take scalograms"),
        (["--evaluation_dir=x"], "Unknown command line flag 'evaluation_dir'"),
        (["--segment_frames=40", "--networks=alexnet_modified"], "input_shape does not fit"),
    ],
)
def test_wrong_flags_end_in_one_line(flags, tmp_path, given, message):
    done = run(RECIPE, *flags, *given, f"--output_dir={tmp_path / 'wrong'}")
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_mono_clips_are_refused(place, tmp_path):
    done = run(RECIPE, *tiny_clips(place), f"--output_dir={tmp_path / 'wrong'}")
    assert done.returncode == 1
    assert "scene is not in the class list; expected indoor, outdoor, transportation" in done.stderr
