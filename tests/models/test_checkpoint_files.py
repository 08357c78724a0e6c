"""Reading PyTorch's files: what is read, and what is refused without being run."""

import builtins
import os
import pickle
import zipfile

import numpy as np
import pytest

from dcase_system.core.errors import InputError
from dcase_system.models import registry
from dcase_system.models.checkpoints.torch_file import read_state_dict
from tests.commands import run

COMMAND = "dcase_system.models.checkpoints"

STATE = {"layer.weight": np.arange(6, dtype=np.float32).reshape(2, 3)}


class Malicious:
    """Unpickled, it would make a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.fixture
def save(tmp_path):
    torch = pytest.importorskip("torch")

    def save(content, **settings):
        torch.save(content, tmp_path / "file.pt", **settings)
        return tmp_path / "file.pt"

    return save


def tensors(state=STATE):
    import torch

    return {name: torch.from_numpy(value.copy()) for name, value in state.items()}


@pytest.mark.torch
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_plain_state_dict(save, zipped):
    state = read_state_dict(save(tensors(), _use_new_zipfile_serialization=zipped))
    np.testing.assert_array_equal(state.tensors["layer.weight"], STATE["layer.weight"])
    assert state.others == ()


@pytest.mark.torch
@pytest.mark.parametrize("wrapper", ["state_dict", "model"])
def test_wrapped_state_dict_and_what_stands_beside_it(save, wrapper):
    state = read_state_dict(save({"epoch": 3, wrapper: tensors(), "loops": {}}))
    assert list(state.tensors) == ["layer.weight"]
    assert state.others == ("epoch", "loops")


@pytest.mark.torch
def test_half_precision_becomes_single(save):
    import torch

    content = {"half": torch.ones(2, dtype=torch.float16), "b": torch.ones(2, dtype=torch.bfloat16)}
    assert {v.dtype for v in read_state_dict(save(content)).tensors.values()} == {np.dtype("f4")}


@pytest.mark.torch
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_code_in_a_checkpoint_is_refused_and_not_run(save, tmp_path, zipped):
    content = {**tensors(), "x": Malicious(tmp_path / "ran")}
    path = save(content, _use_new_zipfile_serialization=zipped)
    with pytest.raises(InputError, match=r"refused, .* received posix\.system$"):
        read_state_dict(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.torch
def test_code_in_a_bare_pickle_is_refused_and_not_run(tmp_path):
    (tmp_path / "file.pt").write_bytes(pickle.dumps(Malicious(tmp_path / "ran")))
    with pytest.raises(InputError, match=r"file\.pt: "):
        read_state_dict(tmp_path / "file.pt")
    assert not (tmp_path / "ran").exists()


@pytest.mark.torch
def test_whole_models_are_refused(save):
    import torch

    with pytest.raises(InputError, match=r"refused, .* torch\.nn\.modules\.linear\.Linear"):
        read_state_dict(save(torch.nn.Linear(2, 3)))


@pytest.mark.torch
@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"<!DOCTYPE html>", b"PK\x03\x04 not a zip", bytes(1_000), b"\x80\x02."],
    ids=["empty", "text", "html", "half a zip", "zeros", "empty pickle"],
)
def test_what_is_no_checkpoint_is_refused(tmp_path, content):
    (tmp_path / "file.pt").write_bytes(content)
    with pytest.raises(InputError, match=r"file\.pt: not a PyTorch checkpoint"):
        read_state_dict(tmp_path / "file.pt")


@pytest.mark.torch
def test_truncated_and_foreign_archives_are_refused(save, tmp_path):
    path = save(tensors())
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match="not a PyTorch checkpoint"):
        read_state_dict(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(InputError, match="not a PyTorch checkpoint"):
        read_state_dict(path)


@pytest.mark.torch
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_damaged_bytes_never_raise_anything_else(save, zipped):
    path = save({"epoch": 3, "state_dict": tensors()}, _use_new_zipfile_serialization=zipped)
    whole, generator = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(150):
        damaged = bytearray(whole[: generator.integers(1, 2 * len(whole))])
        damaged[generator.integers(0, len(damaged))] = generator.integers(0, 256)
        path.write_bytes(damaged)
        try:
            read_state_dict(path)
        except InputError as error:
            refused += "\n" not in str(error)
    assert refused > 75


@pytest.mark.torch
@pytest.mark.parametrize(
    ("content", "received"),
    [
        ({}, "an empty dictionary"),
        ([1, 2], "list"),
        (3, "int"),
        ({"epoch": 3}, "int under 'epoch'"),
        ({"state_dict": {"lr": 0.1}}, "float under 'lr'"),
    ],
)
def test_what_holds_no_state_dict_is_refused(save, content, received):
    with pytest.raises(InputError, match=f"holds no state dict; .* received {received}"):
        read_state_dict(save(content))


@pytest.mark.torch
def test_sparse_tensors_are_refused(save):
    import torch

    with pytest.raises(InputError, match="tensor s is sparse, quantised or complex"):
        read_state_dict(save({"s": torch.eye(3).to_sparse()}))


def test_missing_pytorch_is_said_in_one_line(monkeypatch, tmp_path):
    plain = builtins.__import__

    def without_torch(name, *arguments, **settings):
        if name == "torch":
            raise ImportError("No module named 'torch'")
        return plain(name, *arguments, **settings)

    monkeypatch.setattr(builtins, "__import__", without_torch)
    with pytest.raises(InputError, match=r"needs PyTorch.*pip install -r requirements-parity\.txt"):
        read_state_dict(tmp_path / "file.pt")


@pytest.mark.torch
def test_missing_file_is_the_systems_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_state_dict(tmp_path / "file.pt")


@pytest.mark.torch
@pytest.mark.slow
def test_command_names_every_tensor_and_refuses_in_one_line(save, tmp_path):
    from tests.models.test_checkpoints import state_of

    spec = registry.named_spec("sscp_mobile_s3")
    state = {f"model.{name}": value for name, value in tensors(state_of(spec)).items()}
    path = save({"state_dict": state, "epoch": 3})
    out = tmp_path / "out"
    done = run(
        "dcase_system.models.checkpoints",
        path,
        "--architecture=sscp_mobile_96",
        f"--output_dir={out}",
    )
    assert done.returncode == 0
    assert "in_c2.1.0.weight (32, 8, 3, 1) -> stem2_b_conv/kernel (3, 1, 8, 32)" in done.stdout
    assert "in_c.0.1.num_batches_tracked left out: counts batches" in done.stdout
    assert "epoch left out: outside the state dict" in done.stdout
    assert registry.read_spec(out / "spec.json") == spec
    done = run(
        "dcase_system.models.checkpoints", path, "--architecture=passt_s", f"--output_dir={out}"
    )
    assert done.returncode == 1
    assert "error: " in done.stderr.splitlines()[-1]
    assert "no tensor cls_token" in done.stderr.splitlines()[-1]
    assert registry.read_spec(out / "spec.json") == spec


@pytest.mark.torch
@pytest.mark.parametrize(
    "name", ["cp_mobile", "cp_mobile_2023", "sscp_mobile_32", "sscp_mobile_s3"]
)
def test_imported_cp_mobile_agrees_with_pytorch(save, name):
    """The reference network's state dict, under the published names."""
    import torch

    from dcase_system.models.checkpoints.convert import convert
    from tests.models.torch_networks import CPMobile, published_state_dict, randomise

    spec = registry.named_spec(name)
    reference = randomise(CPMobile(spec), seed=1)
    path = save(published_state_dict(reference, spec))
    network = convert(read_state_dict(path).tensors, spec, path).network
    x = np.random.default_rng(0).normal(size=(3, *spec.input_shape)).astype(np.float32)
    with torch.no_grad():
        expected = reference(torch.from_numpy(x)[:, None]).numpy()
    np.testing.assert_allclose(network(x[..., None]), expected, atol=1e-4)
