"""The recording devices of the demo corpus: frequency response, compression and noise."""

from dataclasses import dataclass

import numpy as np

from dcase_system.corpora.demo.signals import equalised


@dataclass(frozen=True)
class Device:
    """A recording device.

    Attributes:
        response_db: Gain at each of `signals.BANDS_HZ`.
        hiss_db: Level of its own noise, relative to full scale.
        drive: Strength of the compression of loud sounds; 0 means none.
    """

    response_db: tuple[float, ...]
    hiss_db: float
    drive: float


# As in TAU: `a` is a good recorder, `b` and `c` are phones, `s...` are simulated devices. s4-s6 are
# in the test only and lie slightly outside the range of the others.
DEVICES = {
    "a": Device((0, 0, 0, 0, 0, 0, 0, -3), -84, 0),
    "b": Device((-18, -6, 0, 1, 3, 2, -4, -20), -70, 1.5),
    "c": Device((-10, -3, 0, 0, 2, 4, 0, -9), -74, 1.0),
    "s1": Device((-6, 0, 2, 1, -1, -3, -8, -18), -76, 0),
    "s2": Device((-14, -7, -2, 0, 4, 5, 1, -6), -76, 0.5),
    "s3": Device((-3, 2, 1, -2, 1, -1, -5, -12), -72, 0.5),
    "s4": Device((-16, -4, 3, 2, -3, 1, -9, -24), -70, 1.0),
    "s5": Device((-8, -8, -3, 1, 5, 2, -6, -14), -72, 0.5),
    "s6": Device((-20, -9, 0, 4, 2, -5, -12, -26), -68, 1.5),
}


def record(signal: np.ndarray, name: str, generator: np.random.Generator) -> np.ndarray:
    """Simulates a device's recording of a signal.

    Args:
        signal: Sound at the device, relative to full scale, float32 at 44.1 kHz.
        name: Name of the device.
        generator: Random number generator for the noise of this take.
    """
    device = DEVICES[name]
    coloured = equalised(signal, device.response_db)
    if device.drive:
        coloured = np.tanh(device.drive * 4 * coloured) / (device.drive * 4)
    hiss = generator.standard_normal(len(signal), np.float32)
    return np.clip(coloured + np.float32(10 ** (device.hiss_db / 20)) * hiss, -1, 1)
