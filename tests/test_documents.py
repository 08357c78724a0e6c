"""Documents: links lead somewhere; commands name modules and flags that exist."""

import re
import subprocess

import pytest

from tests.commands import ROOT, run

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
