"""What an import writes, when it writes nothing, and trainings that start from it."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest

from dcase_system.core.errors import InputError
from dcase_system.models import registry
from dcase_system.models.checkpoints import convert as conversion
from dcase_system.models.checkpoints.initial import load_initial_weights
from dcase_system.models.checkpoints.torch_file import StateDict
from dcase_system.models.stored import SPEC, WEIGHTS, load_network
from tests.models.test_checkpoints import PASST, state_of


@pytest.fixture
def imported(tmp_path, monkeypatch):
    """Writes an import of a random PaSST; `passt_tiny` stands for the small architecture."""
    state = state_of(PASST)
    monkeypatch.setitem(registry.ARCHITECTURES, "passt_tiny", lambda: PASST)
    monkeypatch.setattr(
        conversion, "read_state_dict", lambda path: StateDict(state, ("optimizer_states",))
    )
    (tmp_path / "file.pt").write_bytes(b"checkpoint")

    def run(**settings):
        return conversion.import_checkpoint(
            tmp_path / "file.pt", "passt_tiny", tmp_path / "out", **settings
        )

    run.folder, run.state = tmp_path / "out", state
    return run


def test_import_writes_a_spec_weights_and_a_record(imported):
    converted = imported()
    assert sorted(path.name for path in imported.folder.iterdir()) == sorted(conversion.FILES)
    assert registry.read_spec(imported.folder / SPEC) == PASST
    for stored, weight in zip(
        load_network(imported.folder).weights, converted.network.weights, strict=True
    ):
        np.testing.assert_array_equal(stored, weight)
    record = json.loads((imported.folder / "import.json").read_text())
    assert record["checkpoint"] == "file.pt"
    assert ["head.1.weight", "logits/kernel"] in record["mapped"]
    assert ["optimizer_states", "outside the state dict"] in record["left_out"]


def test_failed_import_leaves_an_earlier_one_as_it_was(imported):
    imported()
    before = {path.name: path.read_bytes() for path in imported.folder.iterdir()}
    del imported.state["norm.bias"]
    with pytest.raises(InputError, match=r"norm\.bias is missing"):
        imported()
    assert {path.name: path.read_bytes() for path in imported.folder.iterdir()} == before
    assert sorted(path.name for path in imported.folder.parent.iterdir()) == ["file.pt", "out"]


def test_folder_with_other_files_is_not_replaced(imported):
    imported.folder.mkdir()
    (imported.folder / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"holds other files.* received thesis\.txt"):
        imported()
    assert (imported.folder / "thesis.txt").read_text() == "years of work"


def test_training_starts_from_an_import_with_its_own_head_and_its_own_draws(imported):
    imported()
    stored, other = load_network(imported.folder), replace(PASST, classes=9, patchout_mels=6)
    x = np.random.default_rng(0).normal(size=(2, 128, 100, 1)).astype(np.float32)
    members = []
    for seed in (1, 2):
        keras.utils.set_random_seed(seed)
        network = registry.build(other)
        assert load_initial_weights(network, imported.folder) == ("logits",)
        members.append(network)
    for layer in ("block2_qkv", "head_norm", "tokens", "grid"):
        for weight, expected in zip(
            members[0].get_layer(layer).weights, stored.get_layer(layer).weights, strict=True
        ):
            np.testing.assert_array_equal(weight, expected)
    heads = [member.get_layer("logits").kernel.numpy() for member in members]
    assert not np.array_equal(*heads)
    inner = [keras.Model(member.input, member.get_layer("tokens").output) for member in members]
    drawn = [model(x, training=True).numpy() for model in inner]
    assert not np.array_equal(*drawn)


def test_import_with_the_same_classes_gives_its_classifier_too(imported):
    imported()
    network = registry.build(replace(PASST, patchout_frames=2))
    assert load_initial_weights(network, imported.folder) == ()
    np.testing.assert_array_equal(network.get_layer("logits").bias, imported.state["head.1.bias"])


@pytest.mark.parametrize(
    ("change", "message"),
    [({"mlp_dim": 20}, "layer block1_mlp1 does not fit"), ({"depth": 1}, "layer block2_")],
)
def test_import_of_another_architecture_is_no_initial_state(imported, change, message):
    imported()
    network = registry.build(replace(PASST, **change))
    before = network.get_weights()
    with pytest.raises(InputError, match=message):
        load_initial_weights(network, imported.folder)
    for weight, unchanged in zip(network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, unchanged)


def test_import_without_weights_or_with_broken_ones_is_refused(imported):
    imported()
    (imported.folder / WEIGHTS).write_bytes(b"no zip")
    with pytest.raises(InputError, match=r"network\.keras: weights cannot be read"):
        load_network(imported.folder)
    (imported.folder / WEIGHTS).unlink()
    with pytest.raises(InputError, match=r"network\.keras: weights cannot be read"):
        load_network(imported.folder)
