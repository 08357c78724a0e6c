"""A run directory belongs to one run: equal settings resume, others are refused."""

import json
import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcase_system import runs
from dcase_system.core.errors import InputError
from dcase_system.core.files import write_json
from dcase_system.runs import directory

SETTINGS = {
    "kind": "split",
    "plan": {"epochs": 40, "rounds": [{"epochs": 2, "ratio": 0.5}], "seed": 0},
    "teachers": None,
    "scenes": ("bus", "park"),
    "clips": {"train": "12 clips, 0123456789ab", "train_audio": "c" * 64},
    "evaluation": None,
}
# As the version before wrote it: with the same settings, and other seeds.
OLD = {"command": ["x"], "settings": SETTINGS, "versions": {}, "code": {}}


def changed(**values):
    return {**SETTINGS, **values}


def begin(folder, of_run=None, **given):
    """Begins a run, writes a result, and ends it."""
    with runs.begun(folder, of_run or SETTINGS, **given):
        (folder / "student").mkdir(exist_ok=True)
        (folder / "student" / "network").write_text("trained for days")


def content(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def run(tmp_path):
    begin(tmp_path / "run")
    return tmp_path / "run"


def test_the_record_states_settings_versions_and_code(tmp_path):
    with runs.begun(tmp_path, {"kind": "split", "seed": 3}, notes={"steps_per_epoch": 2}):
        config = json.loads((tmp_path / "config.json").read_text())
    assert config["settings"] == {"kind": "split", "seed": 3, "steps_per_epoch": 2}
    assert {"python", "tensorflow", "keras"} <= config["versions"].keys()
    assert {"commit", "dirty"} == config["code"].keys()


def test_the_same_settings_go_on(run):
    before = content(run)
    runs.check(run, SETTINGS)
    begin(run, notes={"steps_per_epoch": 3})  # what follows from the settings is not compared
    begin(run)
    assert content(run).keys() == before.keys()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"plan": {**SETTINGS["plan"], "epochs": 3}}, "plan.epochs is 40 there and 3 here"),
        ({"plan": SETTINGS["plan"] | {"new": 1}}, "plan.new is none there and 1 here"),
        (
            {"plan": SETTINGS["plan"] | {"rounds": [{"epochs": 2, "ratio": 0.6}]}},
            "plan.rounds.1.ratio is 0.5 there and 0.6 here",
        ),
        (
            {"plan": SETTINGS["plan"] | {"rounds": []}},
            'plan.rounds is [{"epochs": 2, "ratio": 0.5}] there and [] here',
        ),
        ({"kind": "teachers"}, "kind is split there and teachers here"),
        ({"scenes": ("park", "bus")}, 'scenes is ["bus", "park"] there and ["park", "bus"] here'),
        (
            {"clips": {"train": "9 clips, 9123456789ab", "train_audio": "d" * 64}},
            "clips.train is 12 clips, 0123456789ab there and 9 clips, 9123456789ab here, "
            f"clips.train_audio is {'c' * 12} there and {'d' * 12} here",
        ),
        ({"teachers": {"key": "x" * 200}}, 'teachers is none there and {"key": "xxx'),
        (
            {"kind": "a", "teachers": 1, "scenes": 1, "plan": dict.fromkeys(SETTINGS["plan"], 9)},
            ", and 1 more;",
        ),
    ],
)
def test_other_settings_are_refused_by_name_and_value_and_nothing_changes(run, values, message):
    before = content(run)
    for refuses in (runs.check, begin, runs.join):
        with pytest.raises(InputError, match="holds a run with other settings") as refused:
            refuses(run, changed(**values))
        text = str(refused.value)
        assert message in text and len(text.splitlines()) == 1
        assert text.startswith(f"{run}: ")
        assert "--overwrite, which replaces that run, or another --output_dir" in text
    assert content(run) == before


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=20, deadline=None)
@given(st.dictionaries(st.text(), json_values, max_size=4), json_values)
def test_any_settings_go_on_and_any_other_value_is_refused(tmp_path_factory, some, other):
    folder = tmp_path_factory.mktemp("run")
    begin(folder, {"kind": "any", **some, "value": {"of": 1}})
    begin(folder, {"kind": "any", **some, "value": {"of": 1}})
    if other != 1:
        with pytest.raises(InputError, match=r"value\.of is 1 there"):
            begin(folder, {"kind": "any", **some, "value": {"of": other}})


def test_what_is_not_known_yet_is_not_asked_for_before_work(run):
    runs.check(run, {"kind": "split", "plan": {"epochs": 40}})
    with pytest.raises(InputError, match=r"plan\.epochs is 40 there and 41 here;"):
        runs.check(run, {"kind": "split", "plan": {"epochs": 41}})
    with pytest.raises(InputError, match=r"plan\.rounds is .* none here, plan\.seed is 0 there"):
        begin(run, changed(plan={"epochs": 40}))


def test_evaluation_clips_may_come_later_but_not_go_or_change(run):
    later = changed(evaluation={"clips": "4 clips"})
    begin(run, later)
    begin(run, later)
    for other in (SETTINGS, changed(evaluation={"clips": "5 clips"})):
        with pytest.raises(InputError, match=r"evaluation(\.clips)? is"):
            begin(run, other)


def test_a_run_that_was_killed_at_its_very_start_is_begun_anew(tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, suppress(KeyboardInterrupt):
        patched.setattr(directory, "write_json", killed)
        begin(tmp_path / "run")
    (tmp_path / "run" / ".partial-left").touch()
    begin(tmp_path / "run", changed(kind="another"))


@pytest.mark.parametrize(
    "files",
    [
        {"notes.txt": "mine"},
        {"report.html": "mine"},
        {"config.json": "{}"},
        {"config.json": '{"settings": {"kind": "split"}}'},
        {"config.json": "[1]"},
        {"config.json": "{half"},
        {"config.json": '{"versions": {}, "settings": []}'},
        {"lock": "", "thesis/chapter.tex": "mine"},
    ],
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path, files, overwrite):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    before = content(tmp_path)
    for refuses in (runs.check, begin):
        with pytest.raises(InputError, match="folder is not empty and holds no run; expected a"):
            refuses(tmp_path, SETTINGS, overwrite=overwrite)
    with pytest.raises(InputError, match=f"received {sorted(files)[-1].partition('/')[0]}"):
        runs.join(tmp_path, SETTINGS)
    assert content(tmp_path) == before


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "run").write_text("mine")
    with pytest.raises(InputError, match="run: is a file; expected a folder"):
        begin(tmp_path / "run", overwrite=True)
    assert (tmp_path / "run").read_text() == "mine"


def test_a_run_of_an_earlier_version_is_refused_unless_it_is_to_be_replaced(tmp_path):
    write_json(tmp_path / "config.json", OLD)
    before = content(tmp_path)
    with pytest.raises(
        InputError, match=r"a run of another version of this package, .* expected --overwrite"
    ):
        begin(tmp_path)
    assert content(tmp_path) == before
    begin(tmp_path, overwrite=True)
    begin(tmp_path)


def test_a_run_is_replaced_whole(run):
    (run / "package" / "S1").mkdir(parents=True)
    (run / "package" / "S1" / "config.json").touch()
    with runs.begun(run, changed(kind="another"), overwrite=True):
        assert {path.name for path in run.iterdir()} == {"config.json", "lock"}
    with pytest.raises(InputError, match="kind is another there and split here"):
        begin(run)


def _killed_at(moment, monkeypatch, work):
    """Kills a call at a rename; returns whether it got that far."""
    rename, calls = Path.replace, []

    def replace(path, target):
        calls.append(path)
        if len(calls) == moment:
            raise KeyboardInterrupt
        return rename(path, target)

    with monkeypatch.context() as patched, suppress(KeyboardInterrupt):
        patched.setattr(Path, "replace", replace)
        patched.setattr(
            "dcase_system.core.files._remove", lambda path: None
        )  # nothing is put in order
        work()
    return len(calls) >= moment


@pytest.mark.parametrize("moment", range(1, 7))
def test_a_replacement_that_is_killed_leaves_whole_stages_or_none(run, monkeypatch, moment):
    for stage in ("wide", "pruned1"):
        (run / stage).mkdir()
        (run / stage / "network").write_text("trained for days")
    new = changed(kind="new")
    # The last moment is past the last renaming, that of the new record.
    assert _killed_at(moment, monkeypatch, lambda: begin(run, new, overwrite=True)) == (moment < 6)
    left = {path.name for path in run.iterdir() if path.name[0] != "."} - {"lock"}
    if moment < 5:
        assert "config.json" in left
        assert all((run / name / "network").exists() for name in left - {"config.json"})
        begin(run)  # the old run goes on with what it has
    assert (moment == 5) == (not left)
    begin(run, new, overwrite=moment < 5)
    assert not list(run.glob(".partial-*"))


def test_a_second_run_in_the_same_directory_is_refused(tmp_path):
    refused = pytest.raises(InputError, match="another run is using this directory")
    with runs.begun(tmp_path, SETTINGS), refused, runs.begun(tmp_path, SETTINGS, overwrite=True):
        pass
    runs.check(tmp_path, SETTINGS)


def test_helpers_join_the_run_that_has_begun_and_may_come_first(tmp_path):
    runs.join(tmp_path, SETTINGS)
    with runs.begun(tmp_path, SETTINGS):
        before = (tmp_path / "config.json").stat().st_mtime_ns
        runs.join(tmp_path, SETTINGS)
        assert (tmp_path / "config.json").stat().st_mtime_ns == before
        with pytest.raises(InputError, match="kind is split there and b here"):
            runs.join(tmp_path, changed(kind="b"))


def test_the_message_is_one_line_whatever_the_names_are(tmp_path):
    begin(tmp_path, {"kind": "a\nb", "x\x1b[2J": 1})
    with pytest.raises(InputError) as refused:
        begin(tmp_path, {"kind": "c", "x\x1b[2J": 2})
    assert not re.search(r"[\n\x1b]", str(refused.value))


def test_a_run_that_is_refused_at_once_leaves_no_record(tmp_path):
    with pytest.raises(InputError), runs.begun(tmp_path, SETTINGS):
        raise InputError("out of reach", where="budget")
    assert not (tmp_path / runs.CONFIG).exists()
    begin(tmp_path, changed(teachers="t"))
    with pytest.raises(InputError), runs.begun(tmp_path, changed(teachers="t")):
        raise InputError("has diverged", where="training")
    assert (tmp_path / runs.CONFIG).exists()  # what it has made stays told
