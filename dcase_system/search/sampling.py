"""The sampler of the searches that share their trials."""

import os

import optuna

from dcase_system.training.seeds import derive


def nsga2_sampler(
    population: int, seed: int, trials: int, *, helps: bool
) -> optuna.samplers.NSGAIISampler:
    """Makes the NSGA-II sampler of a worker that joins a search.

    Args:
        population: Trials of a generation.
        seed: Seed of the search.
        trials: Number of existing trials: a resumed search must not repeat its draws.
        helps: Whether another worker started the search; the draws then differ by process.
    """
    own = derive(seed, "sampler", trials, os.getpid() if helps else 0)
    return optuna.samplers.NSGAIISampler(population_size=population, seed=own)
