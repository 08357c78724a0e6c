"""Pruning ratio by step, from the schedules of TF-MOT (which needs tf_keras)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorflow_model_optimization.sparsity.keras import PruningSchedule


def agp(sparsity: float, *, updates: int, interval: int, begin: int = 0) -> "PruningSchedule":
    """Zhu and Gupta's automated gradual pruning: s (1 - (1 - t / T)³) at update t of T.

    Args:
        sparsity: S, the final ratio.
        updates: T, the number of updates.
        interval: Optimiser steps between two updates.
        begin: Step at which the first interval starts.
    """
    return _polynomial(sparsity, updates, interval, begin, power=3)


def linear(sparsity: float, *, updates: int, interval: int, begin: int = 0) -> "PruningSchedule":
    """s t / T at update t of T."""
    return _polynomial(sparsity, updates, interval, begin, power=1)


def one_shot(sparsity: float, *, interval: int, begin: int = 0, end: int = -1):
    """s from the first step on; channels are recomputed every `interval` steps until `end`."""
    return _tfmot().ConstantSparsity(sparsity, begin_step=begin, end_step=end, frequency=interval)


def _polynomial(sparsity: float, updates: int, interval: int, begin: int, power: int):
    # The end must be an update: otherwise TF-MOT would stop short of the final sparsity.
    return _tfmot().PolynomialDecay(
        initial_sparsity=0.0,
        final_sparsity=sparsity,
        begin_step=begin,
        end_step=begin + updates * interval,
        power=power,
        frequency=interval,
    )


def _tfmot():
    """Imports TF-MOT on demand: it takes seconds, and most trainings prune nothing."""
    from tensorflow_model_optimization.sparsity import keras as tfmot

    return tfmot
