"""Inputs made of valid ones: bytes flipped, cut, spliced, repeated; and values of JSON replaced."""

import copy
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

# Numbers at which arithmetic breaks, little- and big-endian.
_NUMBERS = [
    value.to_bytes(size, order)
    for size in (1, 2, 4, 8)
    for value in (0, 1, 2 ** (8 * size - 1) - 1, 2 ** (8 * size - 1), 2 ** (8 * size) - 1)
    for order in ("little", "big")
]
_LONGEST = 1 << 20  # of an input: splices of splices would grow without bound
_TEXTS = (
    "",
    "\0",
    "..",
    "../../x",
    "/etc/passwd",
    "a\nb",
    "<script>",
    "\x1b[2J",
    "é",
    "日本",
    "x" * 5_000,
)
_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, 0.5, -0.0, 1e308),
    *(float("nan"), float("inf"), [], {}, [[]], {"": None}, [None] * 3, *_TEXTS),
)


def mutated(
    seeds: Sequence[bytes], generator: np.random.Generator, tokens: Sequence[bytes] = ()
) -> bytes:
    """One of the seeds with one to eight changes; one in forty is not made of a seed at all.

    Args:
        seeds: valid files.
        generator: of the draws.
        tokens: what means something in such files.
    """
    if generator.random() < 0.025:
        return generator.bytes(int(generator.integers(0, 600)))
    content = bytearray(seeds[generator.integers(len(seeds))])
    for _ in range(int(min(8, generator.geometric(0.4)))):
        _change(content, seeds, generator, tokens)
        del content[_LONGEST:]
    return bytes(content)


def _change(
    content: bytearray,
    seeds: Sequence[bytes],
    generator: np.random.Generator,
    tokens: Sequence[bytes],
) -> None:
    start = _place(len(content), generator)
    length = int(min(generator.geometric(0.05), len(content) - start))
    kind = generator.integers(9)
    if kind == 0 and content:
        content[min(start, len(content) - 1)] ^= 1 << int(generator.integers(8))
    elif kind == 1:
        content[start : start + length] = generator.bytes(length)
    elif kind == 2:
        number = _NUMBERS[generator.integers(len(_NUMBERS))]
        content[start : start + len(number)] = number
    elif kind == 3 and tokens:
        token = tokens[generator.integers(len(tokens))]
        content[start : start + length * int(generator.integers(2))] = token
    elif kind == 4:
        del content[start : start + length]
    elif kind == 5:
        content[start:start] = content[start : start + length] * int(generator.integers(1, 5))
    elif kind == 6:
        other = seeds[generator.integers(len(seeds))]
        begin = _place(len(other), generator)
        content[start:start] = other[begin : begin + length * 8]
    elif kind == 7 and generator.random() < 0.3:
        del content[start:]
    else:
        content[start : start + length] = bytes(length)


def _place(length: int, generator: np.random.Generator) -> int:
    """A position: half of them near the beginning or the end, where the structure is."""
    anywhere, near = int(generator.integers(length + 1)), int(generator.geometric(0.02)) - 1
    side = generator.random()
    return anywhere if side < 0.5 else min(near, length) if side < 0.8 else max(0, length - near)


def mutated_json(seeds: Sequence[bytes], generator: np.random.Generator) -> bytes:
    """One of the seeds with some values replaced, left out or put elsewhere; or mere bytes."""
    if generator.random() < 0.3:
        return mutated(seeds, generator, (b"{", b"[", b'"', b",", b"NaN", b"1e999", b"\\ud800"))
    if generator.random() < 0.01:
        return b"[" * int(generator.integers(1, 200_000))
    value = json.loads(seeds[generator.integers(len(seeds))])
    for _ in range(int(generator.integers(1, 4))):
        value = _changed(value, generator)
    return json.dumps(value).encode()


def _changed(root: Any, generator: np.random.Generator) -> Any:
    root = copy.deepcopy(root)
    block, parents = root, []
    while isinstance(block, dict | list) and block:
        keys = list(block) if isinstance(block, dict) else list(range(len(block)))
        parents.append((block, keys[generator.integers(len(keys))]))
        block = block[parents[-1][1]]
    if not parents:
        return _VALUES[generator.integers(len(_VALUES))]
    parent, key = parents[generator.integers(len(parents))]
    change = generator.integers(6)
    if change == 0:
        del parent[key]
    elif change == 1:
        other, place = parents[generator.integers(len(parents))]
        parent[key] = copy.deepcopy(other[place])
    elif change == 2 and isinstance(parent[key], int):
        parent[key] = int(parent[key]) * int(generator.choice([-1, 0, 10, 10_000, 10**12]))
    elif change == 3 and isinstance(parent, dict):
        parent[_TEXTS[generator.integers(len(_TEXTS))]] = parent[key]
    else:
        parent[key] = _VALUES[generator.integers(len(_VALUES))]
    return root
