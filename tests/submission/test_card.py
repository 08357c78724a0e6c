from pathlib import Path

import pytest
import yaml

from dcase_system.core.errors import InputError
from dcase_system.submission.card import SystemName, read_author_card

EXAMPLE = Path(__file__).parent / "author_card.yaml"


@pytest.fixture
def content() -> dict:
    return yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))


def read(content: object, folder: Path):
    path = folder / "card.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return read_author_card(path)


def test_tracked_card_is_valid_as_it_stands():
    tracked = Path(__file__).parents[2] / "submissions" / "author_card.yaml"
    assert read_author_card(tracked).label.lastname == "Doe"


def test_card_is_read_whole(card):
    assert (card.label.lastname, card.label.institute) == ("Lind", "NIS")
    assert [author.corresponding for author in card.authors] == [True, False]
    assert card.authors[0].affiliation[0].department == "Department of Hearing"
    assert card.system("S1") == SystemName("SSCP-Mobile S1", "SSCP-S1")


def test_system_without_names_is_called_by_its_key(card):
    assert card.system("dense_long_name") == SystemName("dense_long_name", "dense_long")


def test_label_defaults_to_the_corresponding_author(content, tmp_path):
    content["label"]["lastname"] = None
    del content["label"]["institute"]
    content["authors"][0]["corresponding"] = False
    content["authors"][1]["corresponding"] = True
    card = read(content, tmp_path)
    assert (card.label.lastname, card.label.institute) == ("Berg", "NIS")
    del content["label"]
    assert read(content, tmp_path).label == card.label


def test_several_affiliations(content, tmp_path):
    one = content["authors"][0]["affiliation"]
    content["authors"][0]["affiliation"] = [one, {**one, "abbreviation": "ABC"}]
    affiliations = read(content, tmp_path).authors[0].affiliation
    assert [affiliation.abbreviation for affiliation in affiliations] == ["NIS", "ABC"]


def change(path: str, value: object):
    """A function that sets a field, given as `authors.0.email`."""

    def apply(content: dict) -> None:
        *parents, last = [int(key) if key.isdecimal() else key for key in path.split(".")]
        for key in parents:
            content = content[key]
        content[last] = value

    return apply


@pytest.mark.parametrize(
    ("defect", "named"),
    [
        (change("authors.0.corresponding", False), "authors: wrong number of corresponding"),
        (change("authors.1.corresponding", True), "received 2"),
        (change("authors.0.corresponding", "yes, please"), "authors[0].corresponding"),
        (change("authors.0.lastname", " "), "authors[0].lastname"),
        (change("authors.1.firstname", None), "authors[1].firstname"),
        (change("authors.0.email", "jane at example.org"), "authors[0].email"),
        (change("authors.0.affiliation.institute", ""), "authors[0].affiliation.institute"),
        (change("authors.0.affiliation", "EXU"), "authors[0].affiliation: not a mapping"),
        (
            change("authors.0.coresponding", True),
            "authors[0]: unknown field; expected lastname, firstname, email, affiliation, "
            "corresponding; received 'coresponding'",
        ),
        (change("authors.0", {"lastname": "Doe"}), "required field 'email' is missing"),
        (change("authors", []), "authors: wrong number of corresponding authors"),
        (
            lambda content: content.update(authors=content["authors"] * 51),
            "authors: too many items; expected at most 100",
        ),
        (change("systems.3", {}), "systems.3: the key of a system is not text; received 3"),
        (change("authors", {}), "authors: not a list"),
        (change("label.lastname", "van der Doe"), "label.lastname"),
        (change("label.institute", "EX_U"), "label.institute"),
        (change("label.institute", "É"), "label.institute"),
        (change("label", "Doe"), "label: not a mapping"),
        (change("systems.S1.abbreviation", "SSCP-Mobile-S1"), "systems.S1.abbreviation"),
        (change("systems.S1.name", ""), "systems.S1.name"),
        (change("external_datasets.0.total_audio_length", "2 h"), "[0].total_audio_length"),
        (
            change("external_datasets.0", {"name": "x"}),
            "external_datasets[0]: required field 'url'",
        ),
        (change("external_datasets", "AudioSet"), "external_datasets: not a list"),
        (change("source_code", 3), "source_code"),
        (change("sourcecode", None), "unknown field"),
    ],
)
def test_defect_is_named(content, tmp_path, defect, named):
    defect(content)
    with pytest.raises(InputError) as caught:
        read(content, tmp_path)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def test_all_defects_are_named_at_once(content, tmp_path):
    for path, value in (
        ("authors.0.email", "x"),
        ("authors.1.lastname", ""),
        ("label.lastname", "_"),
    ):
        change(path, value)(content)
    with pytest.raises(InputError, match=r"card\.yaml: 3 defects: field authors") as caught:
        read(content, tmp_path)
    assert str(caught.value).count(" | field ") == 2


@pytest.mark.parametrize("content", [None, [], "text", {}, {"authors": {}}])
def test_card_that_is_no_card(content, tmp_path):
    with pytest.raises(InputError):
        read(content, tmp_path)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (b"authors: [", "line 1"),
        (b"authors: 1\nauthors: 2\n", "line 2: field is given twice"),
        (b"authors: \xff", "not UTF-8"),
        (b"when: 2024-13-45", "cannot be converted"),
        (b"a: !!python/name:os.system x", "tag is not allowed"),
        (b"a: &a {b: 1}\nc: {<<: *a}", "merge key"),
        (b"[" * 5000, "nested too deeply"),
    ],
)
def test_text_that_is_not_plain_yaml(tmp_path, text, named):
    path = tmp_path / "card.yaml"
    path.write_bytes(text)
    with pytest.raises(InputError, match=named):
        read_author_card(path)


def test_missing_card(tmp_path):
    with pytest.raises(InputError, match=r"absent\.yaml: author card cannot be read"):
        read_author_card(tmp_path / "absent.yaml")
