"""Any fuzzed input gives error lines, never an exception."""

import copy

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dcase_system.submission.validate import validate_package

LABEL = "Lind_NIS_task1_1"
FOLDER = f"task1/{LABEL}"
META = f"{FOLDER}/{LABEL}.meta.yaml"
OUTPUT = f"{FOLDER}/{LABEL}.output.split_25.csv"


FUZZ = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def assert_only_lines(report) -> None:
    for line in (*report.errors, *report.warnings):
        assert line.isascii()
        assert line.isprintable()


@FUZZ
@given(content=st.binary(max_size=400))
def test_fuzz_random_bytes(tmp_path, clips, content):
    path = tmp_path / "fuzz.zip"
    path.write_bytes(content)
    report = validate_package(path, evaluation_filenames=clips)
    assert not report.valid
    assert_only_lines(report)


@FUZZ
@given(data=st.data())
def test_fuzz_mutated_zip(package, tmp_path, clips, data):
    content = bytearray(package.read_bytes())
    # Half of the changes go to the directory at the end, where the structure is.
    places = st.one_of(
        st.integers(0, len(content) - 1), st.integers(max(0, len(content) - 1200), len(content) - 1)
    )
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=12)):
        content[place] = value
    path = tmp_path / "fuzz.zip"
    path.write_bytes(content[: data.draw(st.integers(len(content) // 2, len(content)))])
    assert_only_lines(validate_package(path, evaluation_filenames=clips))


@FUZZ
@given(data=st.data())
def test_fuzz_mutated_text(files, validate, data):
    for name in (META, OUTPUT):
        text = files[name].decode()
        for _ in range(data.draw(st.integers(1, 6))):
            start = data.draw(st.integers(0, len(text)))
            end = start + data.draw(st.integers(0, 20))
            piece = data.draw(
                st.one_of(
                    st.text(max_size=8), st.sampled_from(["\t", "\n", '"', "&a", "*a", "<<:", "!!"])
                )
            )
            text = text[:start] + piece + text[end:]
        changed = {**files, name: text.encode("utf-8", "surrogatepass")}
        assert_only_lines(validate(changed))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@FUZZ
@given(data=st.data())
def test_fuzz_values_of_any_type_in_meta(files, validate, meta, data):
    """Walks down to a random field of the meta file and replaces it."""
    changed = block = copy.deepcopy(meta)
    while True:
        keys = list(block) if isinstance(block, dict) else list(range(len(block)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(block[key], dict | list) or not block[key] or data.draw(st.booleans()):
            break
        block = block[key]
    block[key] = data.draw(VALUES)
    files[META] = yaml.safe_dump(changed, allow_unicode=True).encode("utf-8", "surrogatepass")
    assert_only_lines(validate(files))
