"""Synthesised corpora in the layouts of TAU 2022 Mobile and 2020 3Class; nothing to download."""

from dcase_system.corpora.demo.plan import FULL, TINY, DemoSize
from dcase_system.corpora.demo.stereo import (
    STEREO_FULL,
    STEREO_TINY,
    StereoSize,
    write_stereo_demo_corpus,
)
from dcase_system.corpora.demo.write import DemoCorpus, write_demo_corpus

__all__ = [
    "FULL",
    "STEREO_FULL",
    "STEREO_TINY",
    "TINY",
    "DemoCorpus",
    "DemoSize",
    "StereoSize",
    "write_demo_corpus",
    "write_stereo_demo_corpus",
]
