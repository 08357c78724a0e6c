"""A small search problem: pairs of digits with a limited sum; evaluation takes no time."""

from dataclasses import dataclass

import numpy as np

from dcase_system.search.driver import Search


@dataclass(frozen=True)
class Numbers:
    limit: int = 9
    num_costs: int = 1

    @property
    def key(self):
        return f"pairs of digits, their sum up to {self.limit}"

    def drawn(self, seed):
        for number in np.random.default_rng(seed).permutation(100).tolist():
            pair = divmod(number, 10)
            if not self.excess(pair):
                yield pair

    def size(self):
        return len(list(self.drawn(0)))

    def choices(self):
        return {"tens": tuple(range(10)), "ones": tuple(range(10))}

    def decode(self, decided):
        return decided["tens"], decided["ones"]

    def name(self, candidate):
        return "{}{}".format(*candidate)

    def costs(self, candidate):
        return (float(sum(candidate)),)

    def excess(self, candidate):
        return float(max(0, sum(candidate) - self.limit))


NUMBERS = Numbers()


def score(candidate):
    return {"score": candidate[0] + candidate[1] / 10}


def search(storage, method="random", **settings):
    given = {"problem": NUMBERS, "num_trials": 8, "population": 4, "name": method, **settings}
    return Search(method=method, scored="digits", storage=storage, **given)


def first(count, seed=0):
    """Names of the first candidates of a random search."""
    drawn = NUMBERS.drawn(seed)
    return [NUMBERS.name(next(drawn)) for _ in range(count)]
