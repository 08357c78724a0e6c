"""The search space: its networks, its size window, and random sampling."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property

import numpy as np

from dcase_system.complexity.rules import KIB
from dcase_system.core.errors import InputError
from dcase_system.core.files import fingerprint
from dcase_system.models.scene_cnn import (
    MODULES,
    Pool,
    SceneCNNSpec,
    Variant,
    has_maps,
    scene_spec,
)
from dcase_system.scene_search.costs import costs_of
from dcase_system.scene_search.window_counts import WindowCounts, window_counts

Block = tuple[int, int, Pool]
POOLS: tuple[Pool, ...] = ("avg", "max")
_KINDS = {False: "DSC module", True: "Inverted Residual module"}
_MOST_DRAWS = 100_000  # consecutive rejected draws


@dataclass(frozen=True)
class Architecture:
    """A point of the space.

    Attributes:
        blocks: One (first module or 0 for none, second module, pooling) per block; see
            `models.scene_cnn.MODULES`.
        stem: Number of channels of the stem.
        growth: Factor by which the width grows in each block.
    """

    blocks: tuple[Block, ...]
    stem: int
    growth: float

    @property
    def name(self) -> str:
        """Unique name, such as `41a-22m_76_1.75`."""
        blocks = "-".join(f"{first}{second}{pool[0]}" for first, second, pool in self.blocks)
        return f"{blocks}_{self.stem}_{self.growth:g}"


@dataclass(frozen=True)
class SizeWindow:
    """Allowed size of the float32 parameters in KiB, ends excluded as in the authors' code.

    Section 3.3 discards networks "smaller than 250 KB" or "larger than 500 KB". A KB is 1,024 bytes
    there: otherwise the sizes in Table 4 would not be those of the networks.
    """

    low: float = 250.0
    high: float = 500.0

    def __post_init__(self):
        if not 0 <= self.low < self.high:
            raise _wrong("size window", "0 <= low < high", f"{self.low:g} to {self.high:g} KiB")

    @property
    def params(self) -> tuple[float, float]:
        """Both ends of the window, as numbers of parameters."""
        return self.low * KIB / 4, self.high * KIB / 4

    def __contains__(self, params: object) -> bool:
        low, high = self.params
        return isinstance(params, int) and low < params < high

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g} KiB"


@dataclass(frozen=True)
class SceneSpace:
    """The networks of section 3 of the paper; the defaults are the published ones.

    Attributes:
        variant: Whether stem and padding follow the paper or its code. The code counts sizes with a
            stem of three input channels.
        window: Allowed size of the parameters.
        block_counts: Allowed numbers of blocks.
        stems: Widths of the stem. Table 2 prints "4 - 128"; the authors' code has multiples of 4.
        growths: Factors by which the width may grow in each block.
        classes: Number of classes.
        input_shape: Shape (bands, frames) of a segment.
    """

    variant: Variant = "paper"
    window: SizeWindow = SizeWindow()
    block_counts: tuple[int, ...] = (2, 3, 4)
    stems: tuple[int, ...] = tuple(range(4, 129, 4))
    growths: tuple[float, ...] = (1.0, 1.25, 1.5, 1.75, 2.0)
    classes: int = 3
    input_shape: tuple[int, int] = (128, 128)

    def __post_init__(self):
        if self.variant not in ("paper", "code"):
            raise _wrong("reading", "paper or code", self.variant)
        for name in ("block_counts", "stems", "growths"):
            values = getattr(self, name)
            if not values or len(set(values)) < len(values) or min(values) < 1:
                raise _wrong(name, "different numbers from 1 on", values)

    @property
    def size(self) -> int:
        """Number of architectures, regardless of the size window."""
        return self._block_choices * len(self.stems) * len(self.growths)

    @property
    def _block_choices(self) -> int:
        of_block = (len(MODULES) + 1) * len(MODULES) * len(POOLS)  # the first may be left out
        return sum(of_block**count for count in self.block_counts)

    @property
    def key(self) -> str:
        """Fingerprint of everything that defines the space."""
        return fingerprint(asdict(self))

    def spec(self, architecture: Architecture) -> SceneCNNSpec:
        """Returns the spec of an architecture."""
        return scene_spec(
            architecture.stem,
            architecture.blocks,
            architecture.growth,
            self.variant,
            classes=self.classes,
            input_shape=self.input_shape,
        )

    def counted_params(self, architecture: Architecture) -> int:
        """Counts the parameters to compare with the size window."""
        spec = self.spec(architecture)
        return costs_of(replace(spec, input_channels=self.counted_channels)).params

    @property
    def counted_channels(self) -> int:
        return 3 if self.variant == "code" else 2

    @cached_property
    def counts(self) -> WindowCounts:
        """Exact statistics of the architectures within the window."""
        return window_counts(
            self.block_counts,
            self.stems,
            self.growths,
            channels=self.counted_channels,
            classes=self.classes,
            within=self.window.params,
        )

    def check(self) -> None:
        """Rejects a window that admits no network.

        Raises:
            InputError: No network falls within the window; the message names the nearest size.
        """
        if not self.counts.architectures:
            raise InputError(
                "nothing falls into the size window",
                where="scene search",
                expected=f"a window around {self.counts.nearest_params * 4 / KIB:.1f} KiB, the "
                "nearest size",
                received=self.window,
            )

    def draw(self, generator: np.random.Generator) -> Architecture:
        """Samples an architecture, within the window or not, with every choice equally likely.

        Numbers of blocks are therefore equally frequent, though most architectures have four.
        """
        blocks = tuple(
            (
                int(generator.integers(5)),
                int(generator.integers(1, 5)),
                POOLS[generator.integers(2)],
            )
            for _ in range(generator.choice(self.block_counts))
        )
        stem, growth = int(generator.choice(self.stems)), float(generator.choice(self.growths))
        return Architecture(blocks, stem, growth)

    def admits(self, architecture: Architecture) -> bool:
        """Whether a network is within the window and none of its feature maps vanishes."""
        fits = self.counted_params(architecture) in self.window
        return fits and has_maps(self.spec(architecture))

    def candidates(self, seed: int) -> Iterator[Architecture]:
        """Yields distinct random candidates that the space admits, in an order fixed by the seed.

        Raises:
            InputError: No network falls within the size window.
        """
        self.check()
        generator = np.random.default_rng(seed)
        seen: set[str] = set()
        in_vain = 0
        while in_vain < _MOST_DRAWS:
            drawn = self.draw(generator)
            in_vain += 1
            if drawn.name not in seen and self.admits(drawn):
                seen.add(drawn.name)
                in_vain = 0
                yield drawn


def describe(space: SceneSpace) -> dict:
    """Describes a space: its choices, its size, and the networks that its window admits."""
    counts = space.counts
    return {
        "modules": {"0": "Identity Mapping"}
        | {str(one): f"{k} × {k} {_KINDS[inverted]}" for one, (k, inverted) in MODULES.items()},
        "choices": {
            "blocks": list(space.block_counts),
            "stem": list(space.stems),
            "growth": list(space.growths),
            "module A": [0, *MODULES],
            "module B": list(MODULES),
            "pooling": list(POOLS),
        },
        "architectures": space.size,
        "window_kib": [space.window.low, space.window.high],
        "within": counts.architectures,
        "acceptance": counts.acceptance,
        "acceptance_by_growth": {f"{growth:g}": of for growth, of in counts.by_growth.items()},
        "accepted_blocks": {str(count): share for count, share in counts.by_blocks.items()},
    }


def _wrong(what: str, expected: object, received: object) -> InputError:
    return InputError(
        f"{what} is wrong", where="scene search", expected=expected, received=received
    )
