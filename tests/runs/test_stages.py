import pytest

from dcase_system.runs.stages import run_stage


def counting(calls, text="result"):
    def work(folder):
        calls.append(1)
        (folder / "artefact").write_text(text)

    return work


def test_a_stage_is_done_once_for_the_same_inputs(tmp_path):
    calls = []
    keys = [run_stage(tmp_path / "stage", {"a": 1}, counting(calls)) for _ in range(3)]
    assert len(calls) == 1
    assert len(set(keys)) == 1


def test_a_stage_is_done_again_when_its_inputs_change(tmp_path):
    calls = []
    first = run_stage(tmp_path / "stage", {"a": 1}, counting(calls, "old"))
    second = run_stage(tmp_path / "stage", {"a": 2}, counting(calls, "new"))
    assert len(calls) == 2
    assert first != second
    assert (tmp_path / "stage" / "artefact").read_text() == "new"


def test_an_interrupted_stage_leaves_nothing_and_is_done_again(tmp_path):
    def interrupted(folder):
        (folder / "artefact").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_stage(tmp_path / "stage", {}, interrupted)
    assert list(tmp_path.iterdir()) == []
    calls = []
    run_stage(tmp_path / "stage", {}, counting(calls))
    assert len(calls) == 1


def test_an_unreadable_record_means_the_stage_is_done_again(tmp_path):
    calls = []
    run_stage(tmp_path / "stage", {}, counting(calls))
    (tmp_path / "stage" / "stage.json").write_text("{half")
    run_stage(tmp_path / "stage", {}, counting(calls))
    assert len(calls) == 2
