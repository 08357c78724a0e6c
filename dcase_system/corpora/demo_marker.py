"""How the demo corpora are told from others: by a file beside their folders."""

from pathlib import Path

from dcase_system.core.places import Place

MARKER = "demo_corpus.json"


def is_demo(folder: Place) -> bool:
    """Whether this is the development or the evaluation folder of a demo corpus.

    What is made of one is for trying things out and never handed in.
    """
    return isinstance(folder, Path) and (folder.resolve().parent / MARKER).is_file()
