"""One finished run of a toy student, with all that a split recipe can leave."""

from dataclasses import dataclass

import numpy as np
import pytest

from dcase_system.challenge.finished import SplitRun
from dcase_system.challenge.run import run_split
from dcase_system.challenge.student.plan import QATPlan, StudentPlan
from dcase_system.distillation.ensemble_store import Ensemble
from tests import toys


@dataclass(frozen=True)
class Finished:
    """The run and what it was called with, beside its folder and the clips."""

    run: SplitRun
    plan: StudentPlan
    others: dict


@pytest.fixture(scope="session")
def finished(data_and_evaluation, tmp_path_factory):
    data = data_and_evaluation
    logits = np.random.default_rng(0).normal(size=(len(data.train), len(data.scenes)))
    plan = StudentPlan(
        architecture=toys.NAME, epochs=1, batch_size=32, seed=5, validation_fraction=0.3
    )
    others = {
        "ensemble": Ensemble("of teachers", ("one",), (), {"one": logits.astype(np.float32)}),
        "formats": ("float16", "dynamic", "int8"),
        "qat": QATPlan(epochs=2),
    }
    with toys.registered():
        run = run_split(tmp_path_factory.mktemp("finished"), plan, data, **others)
    return Finished(run, plan, others)


@pytest.fixture(scope="session")
def run(finished):
    return finished.run
