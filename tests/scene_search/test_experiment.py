"""The run of a search: its files, skipped when finished, resumed without repetition."""

import json
from dataclasses import replace

import numpy as np
import pytest

from dcase_system.core.errors import InputError
from dcase_system.models import registry
from dcase_system.models.stored import load_network
from dcase_system.scene_search import experiment
from dcase_system.scene_search.experiment import SearchPlan, help_search, run_experiment
from dcase_system.scene_search.search import Candidate, CandidateScore
from dcase_system.training.schedule import Steps
from tests.scene_search.toys import FRONT_END, SPACE, TOY
from tests.training.curves import assert_drawn

PLAN = SearchPlan(
    space=SPACE,
    front_end=FRONT_END,
    candidate=TOY,
    final=replace(TOY, schedule=Steps(0.5, epochs=1)),
    methods=("random", "nsga2"),
    num_trials=2,
    population=2,
)


@pytest.mark.slow
def test_a_run_is_interrupted_resumed_and_kept(data, tmp_path, monkeypatch):
    train, names = experiment.trained_network, []

    def interrupted(spec, *args, name, **settings):
        names.append(name)
        if len(names) == 2:
            raise KeyboardInterrupt
        return train(spec, *args, name=name, **settings)

    monkeypatch.setattr(experiment, "trained_network", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_experiment(tmp_path, PLAN, data)
    results = run_experiment(tmp_path, PLAN, data)
    rows = results["candidates"]
    assert [row["method"] for row in rows] == ["random"] * 2 + ["nsga2"] * 2
    # The interrupted one was begun twice and trained once; no other was.
    assert len(names) == len(set(names)) + 1 <= 5
    page = (tmp_path / "report.html").read_text()
    for name in (
        *("chosen", "final", "table4", "table3", "growth", "sizes", "candidates"),
        *("figure-figure3", "figure-figure4-random", "figure-figure4-nsga2", "figure-final_loss"),
    ):
        assert f'id="{name}"' in page
    folder = tmp_path / "final_random_a"
    scores = results["chosen"][0]["scores"]
    assert scores["keras_float16"]["accuracy"] == pytest.approx(
        scores["tflite_float16"]["accuracy"], abs=10
    )
    network = load_network(folder / "network")
    assert network.output_shape == (None, 3)
    check = json.loads((folder / "edge" / "check.json").read_text())
    for form in ("tflite_float32", "tflite_float32_waveform"):  # of the segments of whole clips
        assert check[form]["largest_difference"] < 1e-3
    assert len((folder / "evaluation" / "output.csv").read_text().splitlines()) == 5
    assert_drawn(folder / "metrics.jsonl", tmp_path / "tensorboard" / "final_random_a")
    folders = {one["folder"] for one in results["chosen"]}
    assert {path.name for path in (tmp_path / "tensorboard").iterdir()} == folders
    for method in ("random", "nsga2"):
        mine = [row for row in rows if row["method"] == method]
        models = {one["model"]: one for one in results["chosen"] if one["method"] == method}
        best = max(row["clip_accuracy"] for row in mine)
        assert next(iter(models.values()))["clip_accuracy"] == best
        assert [*models.values()][-1]["loss"] == min(row["loss"] for row in mine)
    monkeypatch.setattr(experiment, "trained_network", lambda *_, **__: pytest.fail("again"))
    assert run_experiment(tmp_path, PLAN, data) == results


def test_selected_on_the_test_list_candidates_are_trained_on_the_whole_training_list(
    data, tmp_path, monkeypatch
):
    """Section 3.3: "its accuracy on test set and test loss will be saved"."""
    seen = {}

    def pretended(spec, segments, labels, plan, **_):
        seen["trained"] = [data.train.clips.filenames[row] for row in segments.clips]
        return registry.build(spec)

    def predicted(network, segments):
        seen["scored"] = segments.values is data.test.features.values
        raise KeyboardInterrupt

    monkeypatch.setattr(experiment, "trained_network", pretended)
    monkeypatch.setattr(experiment, "predict", predicted)
    with pytest.raises(KeyboardInterrupt):
        help_search(tmp_path, replace(PLAN, select_on_test=True), data)
    assert seen == {"trained": list(data.train.clips.filenames), "scored": True}


@pytest.mark.parametrize("accuracies", [(60.0, 50.0), (50.0, 60.0)])
def test_models_a_and_b_are_both_trained_from_scratch(data, tmp_path, monkeypatch, accuracies):
    """Section 3.3: "we select the model architecture with highest test set accuracy or lowest test
    loss. It is trained from scratch with sufficient training epochs"."""
    trained = {}

    def evaluated(self):
        found = zip(SPACE.candidates(0), accuracies, strict=False)
        return {
            "random": [
                Candidate(one.name, one, 5_000, 1, CandidateScore(accuracy, 0.0, accuracy))
                for one, accuracy in found
            ]
        }

    def pretended(folder, spec, plan, data):
        trained[folder.name] = (spec, plan)
        form = {"clip_accuracy": 1.0, "accuracy": 1.0, "loss": 1.0}
        sizes = {"float32": 2**20, "float16": 2**19}
        return {
            "complexity": {"bytes": sizes},
            "scores": {f"keras_{one}": form for one in sizes},
            "size_2020": 1,
        }

    monkeypatch.setattr(experiment._Run, "candidates", evaluated)
    monkeypatch.setattr(experiment, "train_chosen", pretended)
    results = run_experiment(tmp_path, replace(PLAN, methods=("random",)), data)
    assert [one["model"] for one in results["chosen"]] == ["A", "B"]
    a, b = (one["architecture"] for one in results["chosen"])
    names = [one.name for one, _ in zip(SPACE.candidates(0), accuracies, strict=False)]
    of_accuracy = dict(zip(accuracies, names, strict=True))
    assert (a, b) == (of_accuracy[60.0], of_accuracy[50.0])
    assert list(trained) == ["final_random_a", "final_random_b"]
    assert {plan.epochs for _, plan in trained.values()} == {PLAN.final.epochs}
    assert [(row["network"], row["precision"], row["mib"]) for row in results["table4"]] == [
        (f"random {model}", precision, mebibytes)
        for model in "AB"
        for precision, mebibytes in (("float32", 1.0), ("float16", 0.5))
    ]
    assert results["chosen"][0]["layers"][-1] == "3-way Sigmoid"


def test_candidates_are_not_selected_on_what_they_are_trained_on(data, tmp_path, monkeypatch):
    trained, scored = [], []

    def pretended(spec, segments, labels, plan, **_):
        np.testing.assert_array_equal(labels, data.train.clips.labels[segments.clips])
        trained.append(segments)

    def predicted(network, segments):
        scored.append(segments)
        raise KeyboardInterrupt

    monkeypatch.setattr(experiment, "trained_network", pretended)
    monkeypatch.setattr(experiment, "predict", predicted)
    with pytest.raises(KeyboardInterrupt):
        help_search(tmp_path, PLAN, data)
    values = data.train.features.values
    assert trained[0].values is values and scored[0].values is values  # of no other list
    clips = [set(segments.clips.tolist()) for segments in (trained[0], scored[0])]
    assert all(clips) and set.union(*clips) == set(range(len(data.train.clips.filenames)))
    locations = [{data.train.clips.locations[row] for row in rows} for rows in clips]
    assert not locations[0] & locations[1]


def test_without_clips_to_select_on_it_is_refused(data, tmp_path):
    with pytest.raises(InputError, match="no clips to select on"):
        help_search(tmp_path, replace(PLAN, validation_fraction=0.0), data)


def test_a_window_that_nothing_falls_into_is_refused_before_any_training(data, tmp_path):
    space = replace(SPACE, window=replace(SPACE.window, low=1e6, high=2e6))
    with pytest.raises(InputError, match="nothing falls into the size window"):
        run_experiment(tmp_path, replace(PLAN, space=space), data)
    assert not (tmp_path / "candidates").exists()


def test_another_search_in_the_same_directory_is_refused(data, tmp_path):
    with pytest.raises(InputError, match="no clips to select on"):
        help_search(tmp_path, replace(PLAN, validation_fraction=0.0), data)
    for plan, message in [
        (PLAN, "validation_fraction is 0.0 there and 0.25 here;"),
        (replace(PLAN, validation_fraction=0.0, storage="x"), "storage is none there and x here;"),
        (
            replace(PLAN, validation_fraction=0.0, space=replace(SPACE, variant="code")),
            "space.variant is paper there and code here;",
        ),
    ]:
        for run in (help_search, run_experiment):
            with pytest.raises(InputError, match=message):
                run(tmp_path, plan, data)
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]
