"""Divides recordings into training and test parts so that no group, and no audio, is in both."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dcase_system.sounds.scanning import Scanned


def without_copies(scanned: Sequence[Scanned]) -> tuple[list[Scanned], list[str]]:
    """Leaves out recordings whose audio is there already.

    Of copies with one label, one is kept: that of the test part, else the first by name. Copies
    with different labels are all left out, because one of the labels is wrong.

    Returns:
        The recordings that are kept, and a line for each that is not.
    """
    copies: dict[str, list[Scanned]] = defaultdict(list)
    for one in scanned:
        if one.is_usable:
            copies[one.digest].append(one)
    left_out: dict[int, str] = {}
    for same in copies.values():
        if len(same) < 2:
            continue
        kept = next((one for one in same if one.recording.part == "test"), same[0])
        contradict = len({one.recording.label for one in same}) > 1
        for one in same:
            other = kept if one is not kept else next(each for each in same if each is not kept)
            if contradict:
                left_out[id(one)] = f"same audio as {other.recording} under another label"
            elif one is not kept:
                left_out[id(one)] = f"same audio as {kept.recording}"
    notes = [f"{one.recording}: {left_out[id(one)]}" for one in scanned if id(one) in left_out]
    return [one for one in scanned if id(one) not in left_out], notes


def divided(
    scanned: Sequence[Scanned], test_fraction: float, seed: int, validation_fraction: float = 0.0
) -> list[Scanned]:
    """Gives each recording a part, unless the user has decided on parts.

    Groups are taken in random order, those with a rarer class first. A group goes to the test part
    while each of its classes has fewer than `test_fraction` of its windows there and keeps another
    group for training; then others go to the validation part in the same way.

    Args:
        scanned: Usable recordings.
        test_fraction: Share of each class's windows to test on.
        seed: Seed of the order.
        validation_fraction: Share of each class's windows for a choice after training.
    """
    if any(one.recording.part for one in scanned):
        return list(scanned)
    windows: dict[str, Counter[str]] = defaultdict(Counter)  # of each group, by class
    for one in scanned:
        for label in one.recording.labels:
            windows[one.recording.group][label] += len(one.windows)
    total: Counter[str] = sum(windows.values(), Counter())
    left = Counter(label for labels in windows.values() for label in labels)  # groups to train on
    groups = sorted(windows)
    order = [groups[index] for index in np.random.default_rng(seed).permutation(len(groups))]
    rarity = {name: min(map(left.__getitem__, windows[name])) for name in groups}
    part_of: dict[str, str] = {}
    for part, fraction in (("test", test_fraction), ("validation", validation_fraction)):
        taken: Counter[str] = Counter()
        for name in sorted(order, key=rarity.__getitem__):
            labels = windows[name]
            wanted = all(taken[label] < fraction * total[label] for label in labels)
            if name not in part_of and wanted and all(left[label] > 1 for label in labels):
                part_of[name] = part
                taken += labels
                left -= Counter(dict.fromkeys(labels, 1))
    return [_in_part(one, part_of.get(one.recording.group, "train")) for one in scanned]


def _in_part(scanned: Scanned, part: str) -> Scanned:
    return replace(scanned, recording=replace(scanned.recording, part=part))
