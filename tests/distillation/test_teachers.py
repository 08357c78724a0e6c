"""Teachers: independent members, their folder, resuming, and a student that learns from them."""

import json
import shutil
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file

from dcase_system.audio.front_ends import front_end
from dcase_system.audio.impulse_responses import ImpulseResponses
from dcase_system.audio.specs import KaldiMelSpec, LogMelSpec
from dcase_system.challenge.run import run_split, settings_of
from dcase_system.challenge.student.plan import StudentPlan
from dcase_system.challenge.teachers import teacher_plans
from dcase_system.core.errors import InputError
from dcase_system.distillation import teachers
from dcase_system.distillation.consistent import load_teachers
from dcase_system.distillation.ensemble_store import read_ensemble
from dcase_system.distillation.plan import TeacherPlan
from dcase_system.distillation.teachers import train_member, train_teachers
from dcase_system.models import registry
from dcase_system.models.layers import PowerNormalization
from dcase_system.models.linear import EMBEDDING_NORM
from dcase_system.models.passt import passt_tiny
from dcase_system.models.stored import load_network, save_network
from dcase_system.training.mixup import MixupTraining
from tests import toys
from tests.audio.embedding_files import tflite
from tests.training.curves import assert_drawn

PASST = replace(passt_tiny(), embed_dim=8, depth=1, heads=2, mlp_dim=8, patchout_frames=3)
CNN = toys.toy_student()
FAST = {"epochs": 2, "batch_size": 16, "learning_rate": 0.003}
PLANS = (
    TeacherPlan(name="1-passt", spec=PASST, front_end=KaldiMelSpec(max_hz_range=100), **FAST),
    TeacherPlan(
        name="2-cnn",
        spec=CNN,
        front_end=LogMelSpec(),
        seed=1,
        impulse_response_probability=0.6,
        **FAST,
    ),
)
RESPONSES = ImpulseResponses(np.float32([[0.0, 1.0]]), "delay")


@contextmanager
def watched():
    """Collects the names of the trainings that run."""
    names, train = [], teachers.fit

    def watch(*arguments, name, **settings):
        names.append(name)
        train(*arguments, name=name, **settings)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(teachers, "fit", watch)
        yield names


@pytest.fixture(scope="module")
def apart(data, tmp_path_factory):
    """A folder of members trained one by one, and the names of the trainings."""
    folder = tmp_path_factory.mktemp("teachers")
    with watched() as names:
        for number in (2, 1):
            train_member(folder, PLANS, number, data, RESPONSES)
        train_teachers(folder, PLANS, data, RESPONSES)
    return folder, names


@pytest.fixture
def folder(apart):
    return apart[0]


@pytest.fixture
def trained():
    with watched() as names:
        yield names


def read(data, folder):
    return read_ensemble(
        folder,
        split=100,
        scenes=data.scenes,
        filenames=data.train.clips.filenames,
        validation_fraction=0.0,
    )


def test_each_member_leaves_its_network_logs_and_logits(folder):
    for plan in PLANS:
        member = folder / plan.name
        assert registry.read_spec(member / "network" / "spec.json") == plan.spec
        assert len((member / "metrics.jsonl").read_text().splitlines()) == 2
        assert_drawn(member / "metrics.jsonl", folder / "tensorboard" / plan.name)
        assert sorted(path.name for path in (member / "logits").glob("*.safetensors")) == [
            "dev_test.safetensors",
            "train.safetensors",
        ]
        assert not (member / "checkpoints").exists()


def test_the_ensemble_is_described(folder, data):
    content = json.loads((folder / "ensemble.json").read_text())
    assert content["external_data"] == ["dataset"]
    for clips, more in (("train", set()), ("dev_test", {"interval_95"})):
        assert set(content[clips]) == {"1-passt", "2-cnn", "ensemble"}
        row = content[clips]["ensemble"]
        assert {"accuracy", "logloss", "calibration_error", "entropy", "agreement"} | more == set(
            row
        )
        assert row["agreement"] == 100.0
    assert read(data, folder).mean_logits("logits").shape == (len(data.train), len(data.scenes))


@pytest.mark.parametrize("average", ["logits", "probabilities"])
def test_teachers_in_the_training_graph_answer_as_they_stored(folder, data, average):
    """Two architectures with their own front ends, which have no random parts."""
    ensemble = read(data, folder)
    teachers = load_teachers(ensemble, data.scenes, data.train.audio.shape[0], average)
    clips = np.arange(5)
    answers = teachers(data.train.audio.gather(clips))
    np.testing.assert_allclose(answers, ensemble.mean_logits(average)[clips], rtol=1e-3, atol=1e-4)


def test_networks_that_cannot_teach_are_refused(folder, data, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "teachers")
    samples = data.train.audio.shape[0]
    with pytest.raises(InputError, match=r"another clip length .* 10 classes, 8000 samples"):
        load_teachers(read(data, copy), data.scenes, 8_000, "logits")
    trained = {plan.name: np.zeros(len(data.train), bool) for plan in PLANS}
    with pytest.raises(InputError, match="by folds would answer for clips that they were trained"):
        load_teachers(replace(read(data, copy), trained=trained), data.scenes, samples, "logits")
    shutil.rmtree(copy / "2-cnn" / "network")
    plan = StudentPlan(architecture="sscp_mobile_32", teaching="consistent")
    with pytest.raises(InputError, match="2-cnn/network: teacher's network is missing or of"):
        settings_of(plan, 100, data.record, read(data, copy))


def test_a_member_with_mixup_trains_on_mixtures(data, tmp_path, monkeypatch):
    class Seen(Exception):
        """Ends the observed training."""

    def look(training, plan, **_):
        assert isinstance(training.model, MixupTraining)
        assert training.model.mixup.alpha == plan.mixup_alpha == 0.3
        raise Seen

    monkeypatch.setattr(teachers, "fit", look)
    with pytest.raises(Seen):
        train_teachers(tmp_path, [replace(PLANS[1], mixup_alpha=0.3)], data, RESPONSES)


def test_an_embedding_network_from_a_file_teaches(data, tmp_path):
    file = tflite(tmp_path / "energies.tflite", (1, 8_000))
    given = {"epochs": 1, "batch_size": 64}
    plans = teacher_plans([str(file)], [], seed=0, given=given)
    assert (plans[0].name, plans[0].spec.input_shape) == ("1-energies", (4, 1))
    train_teachers(tmp_path / "teachers", plans, data)
    ensemble = read(data, tmp_path / "teachers")
    assert ensemble.external_data == ("pre-trained model",)
    teachers = load_teachers(ensemble, data.scenes, data.train.audio.shape[0], "logits")
    clips = np.arange(5)
    norm = load_network(tmp_path / "teachers" / "1-energies" / "network").get_layer(EMBEDDING_NORM)
    roots = PowerNormalization()(
        front_end(plans[0].front_end)(data.train.audio.gather(np.arange(len(data.train))))
    )
    np.testing.assert_allclose(norm.moving_mean, np.mean(roots, axis=(0, 2, 3)), rtol=1e-4)
    np.testing.assert_allclose(norm.moving_variance, np.var(roots, axis=(0, 2, 3)), rtol=1e-4)
    answers, stored = teachers(data.train.audio.gather(clips)), ensemble.mean_logits("logits")
    np.testing.assert_allclose(answers, stored[clips], rtol=1e-3, atol=1e-4)


def test_a_finished_member_is_not_trained_again(folder, data, trained):
    before = read(data, folder).key
    train_teachers(folder, PLANS, data, RESPONSES)
    assert trained == []
    assert read(data, folder).key == before


def test_stores_of_an_earlier_version_are_made_anew_without_training(
    folder, data, trained, tmp_path
):
    copy = shutil.copytree(folder, tmp_path / "teachers")
    expected = read(data, copy).mean_logits("logits")
    for member in PLANS:
        record = copy / member.name / "logits" / "stage.json"
        record.write_text(json.dumps({"key": "of that version", "inputs": {}}))
        for path in record.parent.glob("*.safetensors"):
            path.rename(path.with_suffix(".npz"))
    with pytest.raises(InputError, match="an earlier version; expected train"):
        read(data, copy)
    train_teachers(copy, PLANS, data, RESPONSES)
    assert trained == []
    np.testing.assert_array_equal(read(data, copy).mean_logits("logits"), expected)


def test_other_members_are_refused_or_replace_all(folder, data, trained, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "teachers")
    before = read(data, copy).key
    changed = (replace(PLANS[1], seed=7),)
    for train in (train_teachers, lambda *given: train_member(*given[:2], 1, *given[2:])):
        with pytest.raises(InputError, match=r"members\.2-cnn\.seed is 1 there and 7 here"):
            train(copy, changed, data, RESPONSES)
    with pytest.raises(InputError, match=r"impulse_responses is delay there and other here;"):
        train_teachers(copy, PLANS, data, replace(RESPONSES, key="other"))
    assert trained == [] and read(data, copy).key == before
    train_teachers(copy, changed, data, RESPONSES, overwrite=True)
    assert trained == ["split100 teacher 2-cnn"]
    assert not (copy / "1-passt").exists()
    assert read(data, copy).key != before


def test_members_are_trained_apart_and_found_done_together(apart):
    assert apart[1] == ["split100 teacher 2-cnn", "split100 teacher 1-passt"]


def test_an_interrupted_training_resumes_with_the_member_it_was_at(
    folder, data, tmp_path, monkeypatch, caplog
):
    caplog.set_level("INFO", "dcase_system")
    # The one that is cut draws in its layers too: patchout, mel bank.
    others = shutil.ignore_patterns(PLANS[0].name, "ensemble.json")
    shutil.copytree(folder, tmp_path / "cut", ignore=others)

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(teachers, "save_network", interrupt)  # when the training is over
        train_teachers(tmp_path / "cut", PLANS, data, RESPONSES)
    assert not (tmp_path / "cut" / "ensemble.json").exists()
    with pytest.raises(InputError, match="not a folder of finished teachers"):
        read(data, tmp_path / "cut")
    train_teachers(tmp_path / "cut", PLANS, data, RESPONSES)
    assert "2-cnn/network: already done, skipped" in caplog.text
    assert "resuming after epoch" in caplog.text
    logits = [read(data, path).mean_logits("logits") for path in (folder, tmp_path / "cut")]
    np.testing.assert_array_equal(*logits)


def test_held_out_clips_are_described_apart(data, tmp_path):
    plan = replace(PLANS[0], epochs=1, validation_fraction=0.4)
    description = train_teachers(tmp_path, [plan], data)
    assert list(description) == ["train", "validation", "dev_test"]
    assert "val_accuracy" in (tmp_path / plan.name / "metrics.jsonl").read_text()


@pytest.mark.slow
def test_members_differ_by_their_seed_alone(folder, data, tmp_path):
    """That one seed repeats is seen where an interrupted training ends like the other."""
    other = replace(PLANS[0], name="other", seed=PLANS[0].seed + 1)
    train_teachers(tmp_path, [other], data)
    logits = [
        load_file(path / "logits" / "train.safetensors")["logits"]
        for path in (folder / PLANS[0].name, tmp_path / other.name)
    ]
    assert not np.array_equal(*logits)


def test_a_frozen_member_keeps_its_initial_weights_which_are_named_among_the_inputs(data, tmp_path):
    stored = tmp_path / "checkpoint"
    stored.mkdir()
    network = registry.build(replace(PASST, classes=3))
    save_network(stored, network, replace(PASST, classes=3))
    plan = replace(PLANS[0], initial_weights=stored, frozen=True, epochs=1)
    train_teachers(tmp_path / "out", [plan], data)
    trained = teachers.load_network(tmp_path / "out" / plan.name / "network")
    for layer in network.layers:
        pairs = list(
            zip(layer.get_weights(), trained.get_layer(layer.name).get_weights(), strict=True)
        )
        same = all(np.array_equal(one, other) for one, other in pairs)
        assert not pairs or same == (layer.name != "logits")
    record = json.loads((tmp_path / "out" / plan.name / "network" / "stage.json").read_text())
    assert len(record["inputs"]["initial_weights"]) == 64
    content = json.loads((tmp_path / "out" / "ensemble.json").read_text())
    assert content["external_data"] == ["pre-trained model"]


@pytest.mark.parametrize(
    ("plans", "responses", "message"),
    [
        ([], None, "teachers need distinct names; expected one or more"),
        ([PLANS[0], PLANS[0]], None, "distinct names; .* received 1-passt, 1-passt"),
        ([PLANS[0], replace(PLANS[1], validation_fraction=0.5)], RESPONSES, "hold out different"),
        ([PLANS[1]], None, "impulse responses are missing"),
        (
            [replace(PLANS[0], folds=2)],
            None,
            "not every fold has a teacher; .* received 2 folds, 1",
        ),
        (
            [
                replace(PLANS[0], name=str(fold), folds=2, fold=fold, validation_fraction=0.3)
                for fold in range(2)
            ],
            None,
            "too few recording locations for folds; .* received 2 folds of 10",
        ),
        (
            [replace(PLANS[0], front_end=LogMelSpec())],
            None,
            "teacher 1-passt: front end does not fit the network; expected 128 mel bands",
        ),
    ],
)
def test_plans_that_do_not_fit_are_refused(data, tmp_path, plans, responses, message):
    with pytest.raises(InputError, match=message):
        train_teachers(tmp_path, plans, data, responses)
    assert not (tmp_path / "ensemble.json").exists()


@pytest.mark.slow
def test_a_student_learns_from_the_ensemble(data, folder, toy, tmp_path):
    train_teachers(folder, PLANS, data, RESPONSES)
    plan = StudentPlan(architecture=toys.NAME, epochs=1, batch_size=16)
    taught = run_split(tmp_path / "taught", plan, data, ensemble=read(data, folder), formats=())
    alone = run_split(tmp_path / "alone", plan, data, formats=())
    assert taught.settings["teachers"]["members"] == ["1-passt", "2-cnn"]
    assert taught.settings["external_data"] == ["dataset"]
    assert alone.settings["teachers"] is None
    losses = [
        json.loads((run.directory / "metrics.jsonl").read_text())["loss"] for run in (taught, alone)
    ]
    assert losses[0] != losses[1]
    with pytest.raises(InputError, match=r"teachers is {.* there and none here"):
        run_split(tmp_path / "taught", plan, data, formats=())
