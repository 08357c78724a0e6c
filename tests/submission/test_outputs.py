import numpy as np
import pytest

from dcase_system.core.errors import InputError
from dcase_system.corpora import tau
from dcase_system.submission.outputs import read_output, write_output

NAMES = ["audio/0.wav", "audio/2.wav", "1.wav"]


@pytest.fixture
def probabilities() -> np.ndarray:
    return np.random.default_rng(1).dirichlet(np.full(10, 0.2), 3).astype(np.float32)


def test_layout_of_the_file(tmp_path):
    path = tmp_path / "output.csv"
    write_output(
        path, ["audio/0.wav", "1.wav"], np.array([[0.25, 0.75], [1.0, 1e-8]]), ["bus", "tram"]
    )
    assert path.read_bytes() == (
        b"filename\tscene_label\tbus\ttram\n0.wav\ttram\t0.25\t0.75\n1.wav\tbus\t1.0\t1e-08\n"
    )


def test_round_trip_is_exact_in_float32(tmp_path, probabilities):
    path = tmp_path / "output.csv"
    write_output(path, NAMES, probabilities, tau.SCENES)
    output = read_output(path, tau.SCENES)
    assert output.filenames == ("0.wav", "2.wav", "1.wav")
    np.testing.assert_array_equal(output.probabilities, probabilities)
    np.testing.assert_array_equal(output.labels, probabilities.argmax(axis=1))


def test_float16_softmax_is_accepted(tmp_path, probabilities):
    write_output(tmp_path / "output.csv", NAMES, probabilities.astype(np.float16), tau.SCENES)


def test_rows_of_the_file_sum_to_one(tmp_path, probabilities):
    path = tmp_path / "output.csv"
    write_output(path, NAMES, probabilities, tau.SCENES)
    for line in path.read_text().splitlines()[1:]:
        assert sum(map(float, line.split("\t")[2:])) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.1, 1.5])
def test_value_that_is_no_probability(tmp_path, probabilities, value):
    probabilities[1, 3] = value
    with pytest.raises(InputError, match=r"row 2 \(audio/2.wav\): probability is not in \[0, 1\]"):
        write_output(tmp_path / "output.csv", NAMES, probabilities, tau.SCENES)
    assert not list(tmp_path.iterdir())


def test_row_that_does_not_sum_to_one(tmp_path, probabilities):
    probabilities[2] *= 0.99
    with pytest.raises(InputError, match=r"row 3 .*do not sum to 1"):
        write_output(tmp_path / "output.csv", NAMES, probabilities, tau.SCENES)


def test_clip_that_is_there_twice(tmp_path, probabilities):
    with pytest.raises(InputError, match=r"twice; received 0.wav"):
        write_output(
            tmp_path / "o.csv", ["audio/0.wav", "1.wav", "0.wav"], probabilities, tau.SCENES
        )


@pytest.mark.parametrize("shape", [(2, 10), (3, 9), (3,), (3, 10, 1)])
def test_wrong_shape(tmp_path, shape):
    with pytest.raises(InputError, match="wrong shape"):
        write_output(tmp_path / "output.csv", NAMES, np.zeros(shape), tau.SCENES)


def test_no_clips(tmp_path):
    with pytest.raises(InputError, match="not empty"):
        write_output(tmp_path / "output.csv", [], np.zeros((0, 10)), tau.SCENES)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("0.5", "half", "line 2 field bus.*received half"),
        ("0.5", "nan", "line 2 field bus"),
        ("\tbus\t0.5", "\tplane\t0.5", "line 2 field scene_label.*received plane"),
        ("filename", "file", "'filename' is missing"),
    ],
)
def test_file_that_cannot_be_read_back(tmp_path, old, new, named):
    path = tmp_path / "output.csv"
    write_output(path, ["0.wav"], np.array([[0.5, 0.5]]), ["bus", "tram"])
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=named):
        read_output(path, ["bus", "tram"])
