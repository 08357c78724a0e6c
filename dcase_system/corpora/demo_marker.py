"""Recognises demo corpora by a marker file beside their folders."""

from pathlib import Path

from dcase_system.core.locations import Location

MARKER = "demo_corpus.json"


def is_demo(folder: Location) -> bool:
    """Whether this is the development or the evaluation folder of a demo corpus.

    Results on a demo corpus are for testing and must never be submitted.
    """
    return isinstance(folder, Path) and (folder.resolve().parent / MARKER).is_file()
