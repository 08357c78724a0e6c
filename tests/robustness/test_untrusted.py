"""No file content runs, is written outside its folder, or is shown other than as text."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

from dcase_system.core.arrays import check_mapped
from dcase_system.core.errors import InputError
from dcase_system.reporting.tables import markdown
from tests.commands import ROOT

SOURCES = sorted([*(ROOT / "dcase_system").rglob("*.py"), *(ROOT / "recipes").rglob("*.py")])
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal", "cloudpickle"}
# Each with the keyword and value that it needs; None: never to be called.
FORBIDDEN_CALLS = {
    "np.load": ("allow_pickle", False),
    "yaml.load": None,
    "yaml.full_load": None,
    "yaml.unsafe_load": None,
    "keras.saving.load_model": ("safe_mode", True),
    "keras.models.load_model": None,
    "tf.keras.models.load_model": None,
    "torch.load": ("weights_only", True),
    "pd.read_pickle": None,
    "os.system": None,
    "eval": None,
    "exec": None,
    "keras.config.enable_unsafe_deserialization": None,
}
FORBIDDEN_ENDS = (".extractall", ".extract")  # which follow what is in the archive


def _faults(path: Path) -> list[str]:
    faults = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            faults += [name for name in names if name.split(".")[0] in FORBIDDEN_MODULES]
        elif isinstance(node, ast.Call):
            name, needed = ast.unparse(node.func), {}
            given = {word.arg: getattr(word.value, "value", None) for word in node.keywords}
            if name in FORBIDDEN_CALLS:
                needed = FORBIDDEN_CALLS[name]
                if needed is None or given.get(needed[0]) is not needed[1]:
                    faults.append(f"line {node.lineno}: {name}")
            if name.endswith(FORBIDDEN_ENDS) or given.get("shell"):
                faults.append(f"line {node.lineno}: {name}")
    return faults


def test_sources_load_nothing_that_could_run():
    faults = {str(path.relative_to(ROOT)): _faults(path) for path in SOURCES}
    assert len(faults) > 150
    # zipfile's, which writes below the folder alone, on archives whose checksum is known.
    (unpacking,) = faults.pop("dcase_system/corpora/download.py")
    assert unpacking.endswith(": source.extract")
    assert {name: found for name, found in faults.items() if found} == {}


def test_the_check_of_sources_finds_what_it_is_for(tmp_path):
    source = tmp_path / "x.py"
    source.write_text(
        "import pickle\nfrom joblib import load\nnp.load(x)\nnp.load(x, allow_pickle=True)\n"
        "yaml.load(x)\nkeras.saving.load_model(x)\narchive.extractall()\n"
        "run(x, shell=True)\ntorch.load(x, weights_only=True)\nyaml.safe_load(x)\n"
    )
    assert len(_faults(source)) == 8


def test_a_lambda_layer_in_a_keras_file_is_refused(tmp_path):
    import keras

    from dcase_system.models.stored import load_model

    network = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x + 1)])
    network.save(tmp_path / "network.keras")
    with pytest.raises(InputError, match=r"network\.keras: model cannot be read .*[Ll]ambda"):
        load_model(tmp_path / "network.keras")


def test_a_memory_map_whose_file_was_cut_is_refused_and_not_read(tmp_path):
    (tmp_path / "values").write_bytes(bytes(8_192))
    values = np.memmap(tmp_path / "values", np.int16, "r").reshape(-1, 4)
    check_mapped(values)
    (tmp_path / "values").unlink()  # the map keeps what has no name any more
    check_mapped(values)
    (tmp_path / "values").write_bytes(bytes(8_192))
    values = np.memmap(tmp_path / "values", np.int16, "r").reshape(-1, 4)
    with (tmp_path / "values").open("rb+") as stream:
        stream.truncate(100)
    with pytest.raises(InputError, match="values: file was truncated while it was read"):
        check_mapped(values)


def test_messages_hold_nothing_that_controls_a_terminal():
    error = InputError("x\x1b[2J", where="a\0b\u202e", received="\ud800" + "y" * 10_000)
    assert str(error).isprintable() and len(str(error)) < 4_100
    assert str(error).startswith(r"a\x00b\u202e: x\x1b[2J; received \ud800y")
    str(error).encode()


def test_reports_show_names_as_text():
    table = markdown([{"a|b": "<script>alert(1)</script>", "c": "[x](http://y)\n# no"}])
    assert "<" not in table and "](" not in table
    assert table.count("\n") == 3 and r"a\|b" in table


def test_the_page_shows_names_as_text():
    """Built pages hold names in compressed data alone; scripts make text of them, never markup."""
    for path in (ROOT / "dcase_system" / "edge" / "page" / "source" / "src").glob("*.ts"):
        text = path.read_text(encoding="utf-8")
        markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function"
        assert not re.search(markup, text), path.name


def test_downloads_are_checked_before_they_are_opened():
    text = (ROOT / "dcase_system" / "corpora" / "download.py").read_text()
    assert text.index("fetch(file, cache") < text.index("unpack(archive, directory, progress)")
    from dcase_system.corpora.registry import CORPORA

    for corpus in CORPORA.values():
        for file in (*corpus.archives, *corpus.lists):
            assert re.fullmatch("[0-9a-f]{32}|[0-9a-f]{40}", file.checksum), file.name
