"""The sounds from which the scenes of the demo corpus are mixed.

Every sound is a function `(generator, samples, character)` that returns float32 of shape
(samples,) at 44.1 kHz, with an RMS of about 1 while it sounds. `generator` makes occurrences
differ. `character`, from 0 to 1, stays the same at one place: the pitch of a motor, the size of a
bell, the number of people talking.
"""

from collections.abc import Callable

import numpy as np

from dcase_system.corpora.demo.signals import (
    RATE_HZ,
    between,
    decay,
    filtered,
    glide,
    noise,
    repeated,
    saw,
    sine,
    somewhere,
    swell,
    tones,
    unit,
    voice,
)

Sound = Callable[[np.random.Generator, int, float], np.ndarray]


def rumble(generator: np.random.Generator, samples: int, character: float) -> np.ndarray:
    """Wheels on a track or a road, felt more than heard."""
    return noise(generator, samples, 20, between(70, 250, character), 5)


def air(generator: np.random.Generator, samples: int, character: float) -> np.ndarray:
    """Ventilation, or the distant murmur of a town."""
    return noise(generator, samples, 80, between(2_000, 9_000, character), 4)


def wind(generator: np.random.Generator, samples: int, character: float) -> np.ndarray:
    """Gusts."""
    gusts = swell(generator, samples, 2.0) ** 2
    return gusts * noise(generator, samples, 30, between(300, 1_200, character), 5)


def fountain(generator: np.random.Generator, samples: int, character: float) -> np.ndarray:
    """Falling water: broad noise, lightly modulated by drops."""
    water = noise(generator, samples, between(400, 1_500, character), 14_000, 2)
    return water * (0.6 + 0.4 * swell(generator, samples, 60.0))


def engine(generator: np.random.Generator, samples: int, character: float) -> np.ndarray:
    """A combustion engine: harmonics of its firing rate."""
    turns = between(24, 55, character) * (0.9 + 0.25 * swell(generator, samples, 1.0))
    return filtered(saw(turns), 20, 900, 3)


def whine(generator: np.random.Generator, samples: int, character: float) -> np.ndarray:
    """An electric drive that speeds up or slows down."""
    pitch = between(250, 900, character) * glide(samples, generator.uniform(-0.6, 0.6))
    return 1.2 * sine(pitch) + 0.7 * sine(2.02 * pitch)


def hum(generator: np.random.Generator, samples: int, character: float) -> np.ndarray:
    """Mains hum of lamps and machines."""
    pitch = np.full(samples, 100.0, np.float32)
    return sine(pitch) + between(0.1, 0.8, character) * sine(3 * pitch)


def babble(generator: np.random.Generator, samples: int, character: float) -> np.ndarray:
    """Several people talking at once."""
    voices = np.zeros(samples, np.float32)
    for _ in range(2 + int(4 * character)):
        voices += voice(generator, samples)
    return filtered(voices, 200, 5_000, 5)


def talk(generator: np.random.Generator, samples: int, character: float) -> np.ndarray:
    """One voice, through loudspeakers if `character` is high."""
    return filtered(voice(generator, samples), between(120, 500, character), 4_500, 3)


def passing(generator: np.random.Generator, samples: int, character: float) -> np.ndarray:
    """A vehicle that drives by: tyre noise that swells and darkens, and its engine."""
    width = between(0.25, 0.9, character) * RATE_HZ
    offset = (np.arange(samples) - generator.uniform(-0.3, 1.3) * samples) / width
    nearness = (1 / (1 + offset**2)).astype(np.float32)
    # The Doppler effect: about 8 % above the pitch while it comes, 8 % below when it goes.
    engine_sound = filtered(saw(76 - 12 / (1 + np.exp(-offset))), 40, 700, 4)
    tyres = noise(generator, samples, 150, 9_000, 3)
    road = noise(generator, samples, 60, 700, 3)
    return nearness * (1.2 * nearness * tyres + road + 0.5 * engine_sound)


def footsteps(generator: np.random.Generator, samples: int, character: float) -> np.ndarray:
    """One person walking."""
    step = noise(generator, 4_000, between(150, 600, character), 5_000, 4) * decay(4_000, 0.02)
    return 4 * repeated(generator, samples, unit(step), generator.uniform(1.6, 2.3), 0.04)


def clack(generator: np.random.Generator, samples: int, character: float) -> np.ndarray:
    """Wheels over rail joints, two axles at a time."""
    blow = noise(generator, 5_000, 80, between(900, 2_500, character), 4) * decay(5_000, 0.03)
    pair = np.concatenate([blow, np.zeros(2_500, np.float32), 0.8 * blow])
    return 4 * repeated(generator, samples, unit(pair), between(1.0, 2.2, character), 0.02)


def rattle(generator: np.random.Generator, samples: int, character: float) -> np.ndarray:
    """A trolley or a suitcase on tiles."""
    click = noise(generator, 800, 500, between(3_000, 9_000, character), 3) * decay(800, 0.004)
    return 3 * repeated(generator, samples, unit(click), between(14, 32, character), 0.3)


def chirps(generator: np.random.Generator, samples: int, character: float) -> np.ndarray:
    """A bird: a short phrase of whistled sweeps."""
    length = int(RATE_HZ * generator.uniform(0.05, 0.12))
    pitch = between(2_200, 5_000, character) * glide(length, generator.uniform(-0.7, 0.7))
    sweep = np.hanning(length).astype(np.float32) * sine(pitch)
    phrase = repeated(generator, samples, sweep, generator.uniform(4, 9), 0.3)
    return 2 * phrase * (swell(generator, samples, 1.5) > 0.5)


def bell(generator: np.random.Generator, samples: int, character: float) -> np.ndarray:
    """A struck bell: inharmonic partials that ring on."""
    pitch = between(350, 1_400, character)
    partials = [pitch * ratio for ratio in (1.0, 1.19, 1.5, 2.0, 2.67, 4.1)]
    strike = tones(RATE_HZ, partials, [0.8, 0.6, 0.4, 1.0, 0.5, 0.3])
    return 2 * somewhere(generator, samples, strike * decay(RATE_HZ, 0.25))


def chime(generator: np.random.Generator, samples: int, character: float) -> np.ndarray:
    """The gong before an announcement: two or three soft tones."""
    length = RATE_HZ // 2
    rings = []
    for ratio in generator.permutation([1.0, 1.26, 1.5])[: generator.integers(2, 4)]:
        pitch = between(420, 700, character) * ratio
        ring = tones(length, [pitch, 2 * pitch, 3 * pitch], [1, 0.3, 0.1])
        rings.append(ring * decay(length, 0.2))
    return 2 * somewhere(generator, samples, np.concatenate(rings))


def beeps(generator: np.random.Generator, samples: int, character: float) -> np.ndarray:
    """Beeps of closing doors or of a till."""
    length = RATE_HZ // 8
    pitch = between(800, 2_200, character)
    beep = tones(length, [pitch, 3 * pitch], [1, 0.4])
    beep[length // 2 :] = 0
    return 1.5 * somewhere(generator, samples, np.tile(beep, generator.integers(2, 7)))


def squeal(generator: np.random.Generator, samples: int, character: float) -> np.ndarray:
    """Wheels in a curve, or brakes."""
    length = int(RATE_HZ * generator.uniform(0.3, 1.2))
    pitch = between(1_800, 5_500, character) * glide(length, generator.uniform(-0.15, 0.15))
    tone = (sine(pitch) + 0.5 * sine(1.48 * pitch)) * np.hanning(length).astype(np.float32)
    return 1.5 * somewhere(generator, samples, tone)


def release(generator: np.random.Generator, samples: int, character: float) -> np.ndarray:
    """Compressed air released by doors and brakes."""
    length = RATE_HZ // 2
    burst = noise(generator, length, between(1_500, 4_000, character), 13_000, 0)
    return 2 * somewhere(generator, samples, burst * decay(length, 0.12))


def music(generator: np.random.Generator, samples: int, character: float) -> np.ndarray:
    """Background music: a chord at a time."""
    length = int(RATE_HZ * between(0.4, 0.9, character))
    chords = []
    for _ in range(samples // length + 2):
        root = 110 * 2 ** (generator.integers(0, 12) / 12)
        notes = [root * ratio for ratio in (1, 1.26, 1.5, 2, 3, 4)]
        chords.append(tones(length, notes, [1, 0.7, 0.7, 0.6, 0.3, 0.2]) * decay(length, 0.4))
    start = generator.integers(0, length)
    return 1.5 * np.concatenate(chords)[start : start + samples]
