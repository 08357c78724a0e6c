"""A corpus in the layout of TAU 2022 Mobile, synthesised on the spot: nothing to download."""

from dcase_system.corpora.demo.plan import FULL, TINY, DemoSize
from dcase_system.corpora.demo.write import DemoCorpus, write_demo_corpus

__all__ = ["FULL", "TINY", "DemoCorpus", "DemoSize", "write_demo_corpus"]
