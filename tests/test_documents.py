"""Documents: links lead somewhere; commands have known flags, and those on results are run."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.commands import ROOT, run
from tests.sounds.folders import write, write_folders

FENCES = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINKS = re.compile(r"\]\(([^)\s]+)\)")
HEADINGS = re.compile(r"^#+ (.*)$", re.MULTILINE)
DOCUMENTS = subprocess.run(
    ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
).stdout.split()


def anchors(text: str) -> set[str]:
    """The anchors that a page on a forge gives to headings."""
    headings = HEADINGS.findall(FENCES.sub("", text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(name: str) -> list[str]:
    """Links of a document, by its path, to no file or no heading."""
    path = ROOT / name
    text = path.read_text(encoding="utf-8")
    dead = []
    for link in LINKS.findall(FENCES.sub("", text)):
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        if re.match(r"[a-z]+:", link):
            continue
        if not target.exists() or (
            anchor and anchor not in anchors(target.read_text(encoding="utf-8"))
        ):
            dead.append(link)
    return dead


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_to_a_file_and_a_heading(name):
    assert dead_links(name) == []


def test_a_dead_link_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.test_documents.ROOT", tmp_path)
    (tmp_path / "a.md").write_text(
        "# One `b`\n[x](#one-b) [y](#two) [z](b.md) [v](https://x.org)\n"
    )
    assert dead_links("a.md") == ["#two", "b.md"]


GLOSSARY = re.compile(r"^## Glossary$.*?(?=^## )", re.MULTILINE | re.DOTALL)
# Former names in the code, which the glossary has no place for.
FORMER_NAMES = ("losses_told", "ends_badly", "traced_plainly", "drawn_rows")


def retired_words() -> list[str]:
    """The third column of the glossary, without words retired in one sense only, in brackets."""
    (glossary,) = GLOSSARY.findall((ROOT / "BUILD_NOTES.md").read_text(encoding="utf-8"))
    cells = [line.split("|")[3] for line in glossary.splitlines() if line.startswith("| ")]
    words = [word.strip() for cell in cells[1:] for word in cell.split(",")]
    return [word for word in words if word and not word.startswith("(")]


def test_no_module_or_document_has_a_retired_word():
    words = [*retired_words(), *FORMER_NAMES]
    assert len(words) > 10
    # Line ends and the marks of comments may stand between two words.
    pattern = r"\b(?:" + "|".join(word.replace(" ", r"[\s#]+") for word in words) + r")\b"
    modules = subprocess.run(
        ["git", "ls-files", "dcase_system/*.py", "recipes/*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    found = {
        f"{name}: {' '.join(match.split())}"
        for name in [*DOCUMENTS, *modules]
        for match in re.findall(
            pattern,
            GLOSSARY.sub("", (ROOT / name).read_text(encoding="utf-8")),
            re.IGNORECASE,
        )
    }
    assert found == set()


COMMANDS = re.compile(r"python -m ((?:dcase_system|recipes)[\w.]*)((?:\\\n|[^\n`#])*)")
FLAGS = re.compile(r"(?<!\S)--(\w+)")


def flags_of_commands() -> dict[str, set[str]]:
    """The flags that documents give to each module."""
    found: dict[str, set[str]] = {}
    for name in DOCUMENTS:
        for module, arguments in COMMANDS.findall((ROOT / name).read_text(encoding="utf-8")):
            found.setdefault(module, set()).update(FLAGS.findall(arguments))
    return found


@pytest.mark.parametrize(("module", "flags"), sorted(flags_of_commands().items()))
def test_commands_have_the_flags_that_documents_give_them(module, flags):
    page = run(module, "--help").stdout
    known = set(re.findall(r"--(?:\[no\])?(\w+)", page))
    assert page
    assert {flag for flag in flags if not {flag, flag.removeprefix("no")} & known} == set()


# Commands that need a connection, a compiler, a stream, files of PyTorch, or a corpus.
# --reject needs a run with a threshold, which the tests of recipes.sounds have.
UNTRIED = (
    r"--accelerator|--reject|--serve|\.pt |yamnet|corpora\.download|audio\.ingest|validate|doctor"
    r"| -$"
)
TOY = ("--epochs=1", "--batch_size=8", "--tflite_formats=int8,float32")


def commands_of(*names: str) -> list[tuple[str, list[str]]]:
    """Returns the tested commands of documents: recipes.sounds, and those on its results."""
    found = []
    for name in names:
        for module, arguments in COMMANDS.findall((ROOT / name).read_text(encoding="utf-8")):
            line = arguments.replace("\\\n", " ").split(" > ")[0].split("|")[0].strip()
            tried = module.startswith("dcase_system") or "RECORDINGS" in line
            if tried and not re.search(UNTRIED, f"{module} {line}"):
                found.append((module, shlex.split(line)))
    return found


def expanded(argument: str) -> list[str]:
    """Expands an argument with a star as a shell does."""
    path = Path(argument)
    return sorted(map(str, path.parent.glob(path.name))) if "*" in argument else [argument]


@pytest.mark.slow
def test_commands_of_the_documents_work_one_after_another(tmp_path):
    """Recordings, a training on them, and everything that documents do with its results."""
    write_folders(tmp_path / "RECORDINGS")
    (tmp_path / "RECORDINGS" / "bus").rename(tmp_path / "RECORDINGS" / "street")
    for name in ("street.wav", "park.flac"):
        write(tmp_path / name, 1.5)
    (tmp_path / "LONG").mkdir()
    write(tmp_path / "LONG" / "long.flac", 4.5)
    events = "onset\toffset\tevent_label\n1\t2\tstreet\n"
    (tmp_path / "LONG" / "events.tsv").write_text(events)
    places = {
        **{
            name: tmp_path / name
            for name in ("RECORDINGS", "RUN", "DIR", "EXPORTED", "MATERIAL", "LONG")
        },
        **{name: tmp_path / name for name in ("PAGE", "PROJECT", "street.wav", "park.flac")},
        "MY_CLIPS": tmp_path / "RUN-corpus",
        "NAME": "sscp_mobile_32",
    }
    pattern = re.compile(r"\b(" + "|".join(map(re.escape, places)) + r")(?![\w.])")
    done = []
    documents = "README.md", "dcase_system/edge/README.md", "recipes/README.md"
    for module, line in commands_of(*documents):
        given = [pattern.sub(lambda name: str(places[name[1]]), one) for one in line]
        given = [path for one in given for path in expanded(one)]
        if module == "recipes.sounds":
            if not any(one.endswith("RUN") for one in given):
                continue  # the same again, for minutes
            given += [*TOY, f"--cache_dir={tmp_path / 'cache'}"]
        result = run(module, *given)
        assert result.returncode == 0, f"{module} {' '.join(given)}\n{result.stderr}"
        done.append(module)
    assert set(done) >= {
        "recipes.sounds",
        "dcase_system.complexity",
        "dcase_system.edge.classify",
        "dcase_system.edge.export",
        "dcase_system.edge.latency",
        "dcase_system.edge.microcontroller",
        "dcase_system.papers",
        "dcase_system.reporting",
    }
