"""Averaged weights at the end of a training."""

import keras
import numpy as np

from dcase_system.training.averaging import AverageWeights
from dcase_system.training.fit_plan import FitPlan, optimizer_of


def test_the_network_ends_with_the_average_and_the_statistics_that_belong_to_it():
    keras.utils.set_random_seed(0)
    generator = np.random.default_rng(0)
    x, y = generator.normal(2, 3, (8, 3)), generator.normal(size=(8, 4))
    dense, norm = keras.layers.Dense(4, use_bias=False), keras.layers.BatchNormalization()
    network = keras.Sequential([keras.Input((3,)), dense, norm])
    plan = FitPlan(schedule="constant", learning_rate=0.1)
    network.compile(optimizer_of(plan, 1, ema_decay=0.6), "mse", jit_compile=False)
    network.optimizer.build(network.trainable_variables)
    seen, kernels = AverageWeights(0.6, network, lambda: [x]), []
    seen.set_model(network)
    seen.set_params({"epochs": 4})
    for epoch in range(4):
        network.train_step((x, y))
        kernels.append(dense.kernel.numpy().copy())
        seen.on_epoch_end(epoch)
    average = kernels[0]
    for kernel in kernels[1:]:
        average = 0.6 * average + 0.4 * kernel
    np.testing.assert_allclose(dense.kernel, average, rtol=1e-5)
    np.testing.assert_allclose(norm.moving_mean, (x @ average).mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(norm.moving_variance, (x @ average).var(axis=0), rtol=1e-4)
