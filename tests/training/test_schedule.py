import math

import pytest

from dcase_system.training.schedule import ExponentialLinear, warmup_cosine, warmup_steps


def published_factor(step: int, warmup: int, total: int) -> float:
    """`get_cosine_schedule_with_warmup` of transformers, as the baseline calls it."""
    if step < warmup:
        return step / max(1, warmup)
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))


@pytest.mark.parametrize(("warmup", "total"), [(2_000, 81_900), (7, 100), (0, 10), (1, 2)])
def test_schedule_is_the_published_one(warmup, total):
    schedule = warmup_cosine(0.005, warmup, total)
    for step in {0, 1, warmup // 2, warmup, (warmup + total) // 2, total - 1, total}:
        assert float(schedule(step)) == pytest.approx(
            0.005 * published_factor(step, warmup, total), abs=1e-8
        )


def test_schedule_stays_at_zero_past_its_end():
    assert float(warmup_cosine(0.005, 5, 50)(70)) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("schedule", [warmup_cosine(0.005, 5, 50), ExponentialLinear(1e-5, 22)])
def test_schedule_survives_its_config(schedule):
    again = type(schedule).from_config(schedule.get_config())
    assert again.get_config() == schedule.get_config()


def test_exponential_linear_schedule_of_the_passt_recipe():
    """Factors of 25 epochs: warm-up 3, fall from 3 on in 10 epochs, then 0.01."""
    rise = [math.exp(-5 * (1 - max(epoch, 0.5) / 3) ** 2) for epoch in range(3)]
    fall = [0.01 + 0.99 * (13 - epoch) / 10 for epoch in range(3, 13)]
    expected = rise + fall + [0.01] * 12
    schedule = ExponentialLinear(1e-5, steps_per_epoch=22)
    for epoch, factor in enumerate(expected):
        for step in (22 * epoch, 22 * epoch + 21):  # constant within an epoch
            assert float(schedule(step)) == pytest.approx(1e-5 * factor, rel=1e-5)


@pytest.mark.parametrize(
    ("total", "steps"),
    [(81_900, 2_000), (4_200, 2_000), (4_000, 2_000), (3_999, 280), (1_080, 76), (10, 1)],
)
def test_warmup_is_2000_steps_or_7_percent_of_a_short_run(total, steps):
    assert warmup_steps(total) == steps
