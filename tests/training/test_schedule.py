import math

import pytest

from dcase_system.training.schedule import WarmupCosine, warmup_steps


def published_factor(step: int, warmup: int, total: int) -> float:
    """`get_cosine_schedule_with_warmup` of transformers, as the baseline calls it."""
    if step < warmup:
        return step / max(1, warmup)
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))


@pytest.mark.parametrize(("warmup", "total"), [(2_000, 81_900), (7, 100), (0, 10), (1, 2)])
def test_schedule_is_the_published_one(warmup, total):
    schedule = WarmupCosine(0.005, warmup, total)
    for step in {0, 1, warmup // 2, warmup, (warmup + total) // 2, total - 1, total}:
        assert float(schedule(step)) == pytest.approx(
            0.005 * published_factor(step, warmup, total), abs=1e-8
        )


def test_schedule_stays_at_zero_past_its_end():
    assert float(WarmupCosine(0.005, 5, 50)(70)) == pytest.approx(0.0, abs=1e-9)


def test_schedule_survives_its_config():
    schedule = WarmupCosine(0.005, 5, 50)
    assert WarmupCosine.from_config(schedule.get_config()).get_config() == schedule.get_config()


@pytest.mark.parametrize(
    ("total", "steps"),
    [(81_900, 2_000), (4_200, 2_000), (4_000, 2_000), (3_999, 280), (1_080, 76), (10, 1)],
)
def test_warmup_is_2000_steps_or_7_percent_of_a_short_run(total, steps):
    assert warmup_steps(total) == steps
