"""Placeholders of the author card: rejected by name, except in the demo's packages."""

import io
import zipfile
from pathlib import Path

import pytest
import yaml

from dcase_system.core.errors import InputError
from dcase_system.corpora.demo_marker import is_demo
from dcase_system.submission.card import read_author_card
from dcase_system.submission.placeholders import placeholder_defects, refuse_placeholders
from tests.commands import run
from tests.corpora.lists import write_corpus, write_lists
from tests.submission.conftest import CARD
from tests.submission.test_card import change
from tests.submission.test_own_corpus import package_of

TRACKED = Path(__file__).parents[2] / "submissions" / "author_card.yaml"
LABEL = "Lind_NIS_task1_1"
META = f"task1/{LABEL}/{LABEL}.meta.yaml"


@pytest.fixture
def content() -> dict:
    return yaml.safe_load(CARD.read_text(encoding="utf-8"))


def refused(content: dict, folder: Path, systems=("S1",)) -> str:
    path = folder / "card.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        refuse_placeholders(read_author_card(path), path, systems)
    assert str(caught.value).startswith(f"{path}: field ") and "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{path}: ")


def test_the_tracked_card_is_refused_as_it_stands():
    card = read_author_card(TRACKED)
    with pytest.raises(InputError) as caught:
        refuse_placeholders(card, TRACKED, ["S1"])
    assert str(caught.value) == (
        f"{TRACKED}: field authors[0].lastname holds a placeholder (and 13 more do); expected "
        "your own details: edit this file before you make a package of your own clips; "
        "received 'Doe'"
    )


@pytest.mark.parametrize(
    "key", ["dense", "S1", "S2", "S2c", "S3", "scene_random_a", "scene_nsga2_b"]
)
def test_every_name_of_a_system_in_the_tracked_card_is_a_placeholder(content, tmp_path, key):
    content["systems"] = yaml.safe_load(TRACKED.read_text(encoding="utf-8"))["systems"]
    assert "field systems." + key in refused(content, tmp_path, [key])


def test_a_card_that_is_filled_in_passes(card):
    refuse_placeholders(card, CARD, ["S1", "S2", "S3", "not_listed"])


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("authors.0.email", "maja@example.org", "authors[0].email"),
        ("authors.1.email", "ake@mail.Example.com", "authors[1].email"),
        ("authors.1.email", "ake@students.example", "authors[1].email"),
        ("authors.1.affiliation.institute", "Example University", "authors[1].affiliation.institu"),
        ("authors.0.affiliation.location", "Umeå, Exampleland", "authors[0].affiliation.location"),
        ("authors.0.affiliation.department", "Department of Examples", "[0].affiliation.departm"),
        ("authors.0.affiliation.abbreviation", "EXU", "authors[0].affiliation.abbreviation"),
        ("label.institute", "EXU", "label.institute"),
        ("label.lastname", "Doe", "label.lastname"),
        ("systems.S1.name", "Example of S1", "systems.S1.name"),
        ("systems.S1.abbreviation", "EXU-S1", "systems.S1.abbreviation"),
    ],
)
def test_each_field_is_named(content, tmp_path, path, value, field):
    change(path, value)(content)
    message = refused(content, tmp_path)
    assert message.startswith("field ") and field in message.partition(" holds")[0]
    assert "more do" not in message


@pytest.mark.parametrize(
    ("first", "last"), [("Jane", "Doe"), ("john", "DOE"), ("Richard", "Roe"), ("Jane", "Roe")]
)
def test_nobody_is_called_so(content, tmp_path, first, last):
    content["authors"][1] |= {"firstname": first, "lastname": last}
    assert "authors[1].lastname" in refused(content, tmp_path)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("authors.1.lastname", "Doe"),  # Åke Doe may be real
        ("authors.1.firstname", "Jane"),
        ("authors.1.email", "jane@counterexample.org"),
        ("authors.1.email", "jane@example-audio.org"),
        ("authors.1.affiliation.institute", "Counterexample Laboratory"),
        ("authors.1.affiliation.abbreviation", "NEXUS"),
        ("systems.S2.name", "Example"),  # is not submitted
    ],
)
def test_what_only_resembles_one_passes(content, tmp_path, path, value):
    change(path, value)(content)
    content["label"]["lastname"] = content["authors"][1]["lastname"]
    card = tmp_path / "card.yaml"
    card.write_text(yaml.safe_dump(content), encoding="utf-8")
    refuse_placeholders(read_author_card(card), card, ["S1"])


@pytest.mark.parametrize(
    "block",
    [
        None,
        [],
        {},
        {"authors": 3},
        {"authors": [3, None, {"affiliation": [1], "firstname": 10**5_000, "email": {}}]},
        {"label": 3, "name": [], "abbreviation": 1.5},
    ],
)
def test_a_block_of_any_type_has_none(block):
    assert list(placeholder_defects(block, "x")) == []


def changed(package: Path, path: Path, **fields: object) -> Path:
    """The package with other fields in the block `submission` of its meta file."""
    with zipfile.ZipFile(package) as old, zipfile.ZipFile(path, "w") as new:
        for entry in old.namelist():
            text = old.read(entry)
            if entry.endswith(".meta.yaml"):
                meta = yaml.safe_load(text)
                meta["submission"] |= fields
                text = yaml.safe_dump(meta).encode()
            new.writestr(entry, text)
    return path


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"name": "Example of S1"}, "field submission.name: holds a placeholder"),
        ({"abbreviation": "EXU-S1"}, "field submission.abbreviation: holds a placeholder"),
        ({"label": "Doe_NIS_task1_1"}, "field submission.label: holds a placeholder"),
    ],
)
def test_the_validator_names_each(meta, files, validate, fields, named):
    meta["submission"] |= fields
    report = validate({**files, META: yaml.safe_dump(meta).encode()})
    assert any(named in line and line.startswith(META) for line in report.errors)
    tried = validate({**files, META: yaml.safe_dump(meta).encode()}, for_submission=False)
    assert not any(named in line for line in tried.errors)
    assert any(named in line for line in tried.warnings)


def test_the_validator_names_people_of_the_tracked_card(meta, files, validate):
    card = yaml.safe_load(TRACKED.read_text(encoding="utf-8"))
    meta["submission"]["authors"] = card["authors"]
    report = validate({**files, META: yaml.safe_dump(meta).encode()})
    fields = [line.partition(" field submission.")[2].partition(":")[0] for line in report.errors]
    assert fields == [
        f"authors[{author}].{field}"
        for author, own in ((0, ["affiliation.department"]), (1, []))
        for field in (
            "lastname",
            "email",
            "affiliation.abbreviation",
            "affiliation.institute",
            *own,
            "affiliation.location",
        )
    ]


def test_defects_of_a_hostile_file_are_limited(meta, files, validate):
    meta["submission"]["authors"] = [{"email": f"{n}@example.org"} for n in range(3_000)]
    assert len(validate({**files, META: yaml.safe_dump(meta).encode()}).errors) < 60


def test_only_packages_that_may_be_handed_in_must_have_none(tmp_path, card):
    """By the command: errors for TAU's scenes, warnings for other corpora and for the demo's."""
    scenes = ["bus", "tram"]
    write_corpus(tmp_path / "own", scenes, ["a", "b"], ["lyon", "paris"])
    package = changed(package_of(tmp_path / "own"), tmp_path / "p.zip", name="Example of S1")
    own = run(
        "dcase_system.submission.validate",
        package,
        f"--data_dir={tmp_path / 'own'}",
        f"--evaluation_dir={tmp_path / 'own'}",
    )
    assert own.returncode == 0, own.stdout
    assert "warning: " in own.stderr and "field submission.name: holds a plac" in own.stderr
    of_tau = run(
        "dcase_system.submission.validate",
        package,
        "--splits=100",
        f"--evaluation_dir={tmp_path / 'own'}",
    )
    assert of_tau.returncode == 1
    assert "field submission.name: holds a placeholder of the author card" in of_tau.stdout
    (tmp_path / "demo_corpus.json").write_text("{}")
    assert is_demo(tmp_path / "own")
    demo = run(
        "dcase_system.submission.validate",
        package,
        "--splits=100",
        f"--evaluation_dir={tmp_path / 'own'}",
    )
    assert "placeholder" not in demo.stdout and "holds a placeholder" in demo.stderr


def test_the_validator_of_task_1b_names_each(tmp_path):
    rows = [
        (f"audio/{scene}-{number}-a.wav", label, f"lyon-{number}", "a")
        for scene, label in (("airport", "indoor"), ("park", "outdoor"), ("tram", "transportation"))
        for number in range(2)
    ]
    root = write_lists(
        tmp_path / "corpus", rows, fold1_train=[0, 2, 4], fold1_evaluate=[1, 3, 5], fold1_test=[1]
    )
    stream = io.BytesIO()
    place = f"submission/task1/{LABEL}".replace("task1_", "task1b_")
    meta = {"submission": {"name": "Example", "authors": [{"email": "x@example.net"}]}}
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(f"{place}/{place.rpartition('/')[2]}.meta.yaml", yaml.safe_dump(meta))
    (tmp_path / "p.zip").write_bytes(stream.getvalue())
    flags = "--task=task1b", f"--data_dir={root}", f"--evaluation_dir={root}"
    done = run("dcase_system.submission.validate", tmp_path / "p.zip", *flags)
    assert "field submission.name: holds a placeholder" in done.stdout
    assert "field submission.authors[0].email: holds a placeholder" in done.stdout
    (tmp_path / "demo_corpus.json").write_text("{}")
    demo = run("dcase_system.submission.validate", tmp_path / "p.zip", *flags)
    assert "placeholder" not in demo.stdout and demo.stderr.count("holds a placeholder") == 2
