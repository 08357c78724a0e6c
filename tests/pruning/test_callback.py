"""Schedules, and pruning while a small network trains."""

import keras
import numpy as np
import pytest

from dcase_system.models.graph.read import channel_groups
from dcase_system.pruning import schedules
from dcase_system.pruning.callback import PruneChannels
from dcase_system.pruning.choose import uniform_kept
from dcase_system.pruning.importance import l1_importance
from dcase_system.pruning.masks import kept_by_masks, masked_model
from dcase_system.pruning.slim import slim
from dcase_system.training.callbacks import Checkpoint
from tests.pruning.networks import conv, norm_relu, random_inputs

STEPS, BATCH = 4, 8


@pytest.mark.parametrize(
    ("schedule", "values"),
    [
        (schedules.agp, [0.271, 0.488, 0.657, 0.784, 0.875, 0.936, 0.973, 0.992, 0.999, 1]),
        (schedules.linear, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]),
    ],
)
def test_published_values_of_the_schedules(schedule, values):
    ratios = schedule(0.5, updates=10, interval=100, begin=30)
    updates = [step for step in range(1_200) if bool(ratios(step)[0])]
    assert updates == list(range(30, 1_031, 100))
    found = [float(ratios(step)[1]) / 0.5 for step in updates[1:]]
    np.testing.assert_allclose(found, values, atol=5e-4)


def test_one_shot_is_constant():
    schedule = schedules.one_shot(0.4, interval=10)
    assert [bool(schedule(step)[0]) for step in (0, 5, 10)] == [True, False, True]
    assert float(schedule(0)[1]) == pytest.approx(0.4)


def data():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(STEPS * BATCH, 8, 8, 3)).astype(np.float32)
    return x, generator.normal(size=(len(x), 5)).astype(np.float32)


def build(seed: int = 0) -> tuple[keras.Model, keras.Model]:
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((8, 8, 3))
    x = conv(norm_relu(conv(inputs, 6, "stem")), 9, "middle")
    x = keras.layers.GlobalAveragePooling2D()(norm_relu(x))
    network = keras.Model(inputs, keras.layers.Dense(5)(x))
    masked = masked_model(network)
    masked.compile(keras.optimizers.Adam(0.01), "mse", jit_compile=False)
    return network, masked


def train(masked, callbacks, epochs: int, first: int = 0, **options) -> None:
    masked.fit(
        *data(),
        batch_size=BATCH,
        epochs=epochs,
        initial_epoch=first,
        shuffle=False,
        verbose=0,
        callbacks=callbacks,
        **options,
    )


def by_l1(network):
    return lambda ratio: uniform_kept(l1_importance(network), ratio)


def sizes(kept) -> list[int]:
    return [len(values) for values in kept.values()]


def test_masks_follow_the_schedule_and_weights_stay():
    network, masked = build()
    updates, seen = [], []
    schedule = schedules.agp(0.5, updates=4, interval=2)

    def note(step, ratio):
        updates.append((step, ratio))
        seen.append(sizes(kept_by_masks(masked)))

    train(masked, [PruneChannels(masked, by_l1(network), schedule, note)], 3)
    assert [step for step, _ in updates] == [2, 4, 6, 8]
    np.testing.assert_allclose(
        [ratio for _, ratio in updates], 0.5 * np.array([37, 56, 63, 64]) / 64, atol=1e-7
    )
    whole = [group.size for group in channel_groups(network)]
    for (_, ratio), found in zip(updates, seen, strict=True):
        assert found == [size - int(size * ratio) for size in whole]
    kept = kept_by_masks(masked)
    scores = l1_importance(network)
    assert all((values > 0).all() for values in scores.values())  # nothing was set to zero
    x = random_inputs(network)
    np.testing.assert_allclose(slim(network, kept)(x), masked(x), atol=1e-5)


def test_the_final_ratio_is_the_written_one_not_its_single_precision():
    """int(100 * float32(0.51)) is 50."""
    updates = []
    _, masked = build()
    schedule = schedules.agp(0.51, updates=1, interval=2)
    assert int(100 * float(schedule(2)[1])) == 50
    scores = {group.name: np.arange(group.size) for group in channel_groups(masked)}
    note = lambda *at: updates.append(at)  # noqa: E731
    kept = lambda ratio: uniform_kept(scores, ratio)  # noqa: E731
    train(masked, [PruneChannels(masked, kept, schedule, note)], 1)
    assert updates == [(2, 0.51)]


def test_hidden_filters_do_not_learn_and_may_come_back():
    network, masked = build()
    stem = network.get_layer("stem").kernel
    group = {g.name: np.ones(g.size) for g in channel_groups(network)}
    turns = iter([[0, 0, 9, 9, 9, 9], [9, 9, 9, 9, 0, 0]])  # first the one end, then the other
    hidden, filters = [], []

    def kept(ratio):
        return uniform_kept({**group, "stem": np.array(next(turns), float)}, ratio)

    def note(step, ratio):
        hidden.append(sorted(set(range(6)) - set(kept_by_masks(masked)["stem"].tolist())))
        filters.append(np.asarray(stem).copy())

    schedule = schedules.one_shot(0.34, interval=STEPS, end=STEPS)
    train(masked, [PruneChannels(masked, kept, schedule, note)], 2)
    filters.append(np.asarray(stem).copy())
    assert hidden == [[0, 1], [4, 5]]
    first, second = (np.abs(filters[i + 1] - filters[i])[0, 0].sum(axis=0) > 0 for i in (0, 1))
    assert first.tolist() == [False, False, True, True, True, True]
    # Adam's momentum carries 4 and 5 on a little; 0 and 1 learn again.
    assert second[:4].all()


def test_a_resumed_training_hides_and_learns_what_an_uninterrupted_one_does(tmp_path):
    def callbacks(network, masked, name, log):
        schedule = schedules.agp(0.5, updates=3, interval=3, begin=1)
        saver = Checkpoint(tmp_path / f"{name}.safetensors", STEPS)
        note = lambda step, ratio: log.append((step, ratio))  # noqa: E731
        return [PruneChannels(masked, by_l1(network), schedule, note), saver]

    whole_log, cut_log = [], []
    whole = build()
    train(whole[1], callbacks(*whole, "whole", whole_log), 4)
    first = build()
    train(first[1], callbacks(*first, "cut", cut_log), 2)
    again = build(seed=1)
    resumed = callbacks(*again, "cut", cut_log)
    done = resumed[1].restore(again[1])
    assert done == 2
    assert sizes(kept_by_masks(again[1])) == sizes(kept_by_masks(first[1]))
    train(again[1], resumed, 4, first=done)
    assert [step for step, _ in whole_log] == [4, 7, 10]
    assert cut_log == whole_log
    masks = [kept_by_masks(model) for _, model in (whole, again)]
    assert all((masks[0][name] == masks[1][name]).all() for name in masks[0])


def test_updates_between_two_calls_are_not_lost():
    network, masked = build()
    masked.compile(keras.optimizers.Adam(0.01), "mse", jit_compile=False, steps_per_execution=4)
    updates = []
    callback = PruneChannels(
        masked,
        by_l1(network),
        schedules.agp(0.5, updates=2, interval=3),
        lambda step, ratio: updates.append(step),
    )
    train(masked, [callback], 2)
    assert updates == [3, 6]
