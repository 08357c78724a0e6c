import pytest

from dcase_system.core.errors import InputError, visible


def test_input_error_is_one_line():
    error = InputError("broken", where="file.csv line 3", expected="a\nb", received="c\r\nd")
    assert str(error) == "file.csv line 3: broken; expected a b; received c d"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("park", "park"),
        ("shopping mall", "shopping mall"),
        ("park ", "'park '"),
        (" park", "' park'"),
        ("park\t", r"'park\t'"),
        ("shopping  mall", "'shopping  mall'"),
        ("shopping\xa0mall", r"'shopping\xa0mall'"),
        ("", "''"),
        (" ", "' '"),
    ],
)
def test_blanks_that_would_not_be_seen_are_quoted(text, seen):
    assert visible(text) == seen
    error = InputError("scene differs", where="list line 2", expected="park", received=text)
    assert str(error) == f"list line 2: scene differs; expected park; received {seen}"
    error = InputError("scene differs", where=text, expected=text)
    assert str(error) == f"{seen}: scene differs; expected {seen}"


def test_a_message_of_several_lines_is_not_quoted():
    error = InputError("broken", where="x", received="first\n  second ")
    assert str(error) == "x: broken; received first second"


def test_control_characters_are_escaped():
    assert "\x1b" not in str(InputError("broken", where="a\x1b[2Jb", received="c\x07"))
