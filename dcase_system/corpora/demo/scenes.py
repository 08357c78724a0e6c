"""The sounds of each scene in the demo corpus.

Scenes share most of their sounds on purpose (trams and metros rumble alike, people talk
everywhere), the sound that identifies a scene is missing from many clips, and every place has its
own mix, echo and colour. So a classifier that is trained at some places and scored at others,
through other devices, makes the kinds of error that it makes on real scenes.
"""

from dataclasses import dataclass

import numpy as np

from dcase_system.corpora.demo import sounds
from dcase_system.corpora.demo.signals import BANDS_HZ, RATE_HZ, between, convolved, equalised
from dcase_system.corpora.demo.sounds import Sound

_PLACE_DB = 2.0
_SEGMENT_DB = 2.0
_COLOUR_DB = 1.5


@dataclass(frozen=True)
class Ingredient:
    """One sound of a scene.

    Attributes:
        sound: Function that makes the sound.
        level_db: Usual level, relative to the other ingredients.
        at_place: Probability that a place has the sound at all.
        in_segment: Probability that a segment has the sound, if its place does.
        character: Range from which the sound's character is drawn for each place.
    """

    sound: Sound
    level_db: float
    at_place: float = 1.0
    in_segment: float = 1.0
    character: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True)
class Scene:
    """Range of reverberation times of its places, in seconds, and its sounds."""

    echo_s: tuple[float, float]
    ingredients: tuple[Ingredient, ...]


@dataclass(frozen=True)
class DemoSite:
    """A location of a scene.

    Attributes:
        gain: Overall amplitude, relative to full scale.
        mix: (sound, character, gain, probability in a segment) of each sound.
        echo: Impulse response, float32 at 44.1 kHz.
        colour_db: Gain of the place at each of `signals.BANDS_HZ`.
    """

    gain: float
    mix: tuple[tuple[Sound, float, float, float], ...]
    echo: np.ndarray
    colour_db: tuple[float, ...]


def draw_site(scene: str, generator: np.random.Generator) -> DemoSite:
    """Draws a random location of a scene."""
    mix = []
    for ingredient in SCENES[scene].ingredients:
        gain_db = ingredient.level_db + generator.normal(0, _PLACE_DB)
        character = generator.uniform(*ingredient.character)
        if generator.random() < ingredient.at_place:
            mix.append((ingredient.sound, character, _factor(gain_db), ingredient.in_segment))
    echo_s = between(*SCENES[scene].echo_s, generator.random())
    # Exponential decay by 60 dB over the reverberation time.
    samples = int(echo_s * RATE_HZ)
    echo = generator.standard_normal(samples) * 1e-3 ** np.linspace(0, 1, samples)
    echo *= generator.uniform(0.3, 1.0) / np.linalg.norm(echo)
    echo[0] += 1.0
    return DemoSite(
        gain=_factor(generator.normal(-34, _PLACE_DB)),
        mix=tuple(mix),
        echo=echo.astype(np.float32),
        colour_db=tuple(generator.normal(0, _COLOUR_DB, len(BANDS_HZ))),
    )


def render(site: DemoSite, samples: int, generator: np.random.Generator) -> np.ndarray:
    """Renders the sound at a place in one segment, before any device.

    Returns:
        float32 of shape (samples,), relative to full scale, at 44.1 kHz.
    """
    heard = np.zeros(samples, np.float32)
    for sound, character, gain, probability in site.mix:
        level = site.gain * gain * _factor(generator.normal(0, _SEGMENT_DB))
        if generator.random() < probability:
            heard += np.float32(level) * sound(generator, samples, character)
    return equalised(convolved(heard, site.echo), site.colour_db)


def _factor(decibels: float) -> float:
    return float(10 ** (decibels / 20))


SCENES = {
    "airport": Scene(
        (0.6, 1.5),
        (
            Ingredient(sounds.air, -3, character=(0.4, 0.9)),
            Ingredient(sounds.babble, -5, 0.9, 0.9, (0.4, 1.0)),
            Ingredient(sounds.rattle, -6, 0.8, 0.6, (0.2, 0.8)),
            Ingredient(sounds.chime, 0, 0.9, 0.5, (0.0, 0.6)),
            Ingredient(sounds.talk, -4, 0.7, 0.3, (0.5, 1.0)),
            Ingredient(sounds.footsteps, -9, 0.6, 0.5),
            Ingredient(sounds.rumble, -5, 0.7, 1.0, (0.5, 1.0)),
        ),
    ),
    "bus": Scene(
        (0.05, 0.2),
        (
            Ingredient(sounds.engine, 1, character=(0.0, 0.6)),
            Ingredient(sounds.rumble, -3, character=(0.3, 0.8)),
            Ingredient(sounds.air, -8, character=(0.0, 0.5)),
            Ingredient(sounds.babble, -10, 0.6, 0.6, (0.0, 0.4)),
            Ingredient(sounds.release, -3, 0.9, 0.4),
            Ingredient(sounds.rattle, -14, 0.6, 0.6),
            Ingredient(sounds.beeps, -8, 0.6, 0.15),
            Ingredient(sounds.passing, -8, 0.6, 0.4),
        ),
    ),
    "metro": Scene(
        (0.1, 0.4),
        (
            Ingredient(sounds.rumble, 0, character=(0.4, 1.0)),
            Ingredient(sounds.air, -3, character=(0.3, 0.7)),
            Ingredient(sounds.clack, -2, 0.95, 0.9, (0.3, 0.9)),
            Ingredient(sounds.squeal, -5, 0.9, 0.5, (0.3, 1.0)),
            Ingredient(sounds.whine, -14, 0.5, 0.5, (0.5, 1.0)),
            Ingredient(sounds.babble, -10, 0.6, 0.6, (0.0, 0.5)),
            Ingredient(sounds.talk, -6, 0.6, 0.2),
            Ingredient(sounds.beeps, -8, 0.6, 0.15),
        ),
    ),
    "metro_station": Scene(
        (0.9, 2.2),
        (
            Ingredient(sounds.air, -5, character=(0.2, 0.6)),
            Ingredient(sounds.babble, -7, 0.9, 0.8, (0.2, 0.8)),
            Ingredient(sounds.rumble, -1, 0.95, 0.7, (0.2, 0.8)),
            Ingredient(sounds.squeal, -5, 0.8, 0.35, (0.0, 0.7)),
            Ingredient(sounds.release, -4, 0.8, 0.35),
            Ingredient(sounds.beeps, -3, 0.8, 0.4, (0.0, 0.6)),
            Ingredient(sounds.talk, -5, 0.7, 0.3, (0.5, 1.0)),
            Ingredient(sounds.footsteps, -10, 0.7, 0.5),
            Ingredient(sounds.hum, -8, 0.8),
        ),
    ),
    "park": Scene(
        (0.03, 0.15),
        (
            Ingredient(sounds.wind, -4, 0.95, 1.0, (0.2, 1.0)),
            Ingredient(sounds.chirps, -1, 0.95, 0.8),
            Ingredient(sounds.air, -8, character=(0.0, 0.5)),
            Ingredient(sounds.footsteps, -10, 0.6, 0.4),
            Ingredient(sounds.babble, -13, 0.5, 0.4, (0.0, 0.4)),
            Ingredient(sounds.passing, -14, 0.6, 0.4),
        ),
    ),
    "public_square": Scene(
        (0.2, 0.6),
        (
            Ingredient(sounds.air, -5, character=(0.2, 0.8)),
            Ingredient(sounds.babble, -6, 0.9, 0.8, (0.2, 0.8)),
            Ingredient(sounds.fountain, -4, 0.8),
            Ingredient(sounds.bell, -2, 0.6, 0.4, (0.0, 0.5)),
            Ingredient(sounds.footsteps, -8, 0.7, 0.5),
            Ingredient(sounds.passing, -8, 0.7, 0.4),
            Ingredient(sounds.chirps, -10, 0.4, 0.3),
            Ingredient(sounds.wind, -8, 0.6),
        ),
    ),
    "shopping_mall": Scene(
        (0.4, 1.2),
        (
            Ingredient(sounds.air, -5, character=(0.5, 1.0)),
            Ingredient(sounds.babble, -3, 0.95, 0.95, (0.5, 1.0)),
            Ingredient(sounds.music, -5, 0.9, 0.9),
            Ingredient(sounds.footsteps, -9, 0.7, 0.5),
            Ingredient(sounds.beeps, -6, 0.5, 0.2, (0.4, 1.0)),
            Ingredient(sounds.rattle, -12, 0.5, 0.3),
            Ingredient(sounds.chime, -4, 0.4, 0.1),
        ),
    ),
    "street_pedestrian": Scene(
        (0.1, 0.5),
        (
            Ingredient(sounds.air, -6, character=(0.1, 0.6)),
            Ingredient(sounds.footsteps, -2, 0.95, 0.85),
            Ingredient(sounds.babble, -6, 0.95, 0.8, (0.0, 0.6)),
            Ingredient(sounds.talk, -6, 0.7, 0.4, (0.0, 0.5)),
            Ingredient(sounds.passing, -8, 0.7, 0.4),
            Ingredient(sounds.music, -14, 0.4, 0.5),
            Ingredient(sounds.rattle, -12, 0.5, 0.3),
            Ingredient(sounds.wind, -10, 0.6),
        ),
    ),
    "street_traffic": Scene(
        (0.05, 0.3),
        (
            Ingredient(sounds.passing, 3, 1.0, 0.95),
            Ingredient(sounds.passing, -2, 0.8, 0.6),
            Ingredient(sounds.rumble, -6, character=(0.3, 1.0)),
            Ingredient(sounds.air, -5, character=(0.3, 0.8)),
            Ingredient(sounds.engine, -8, 0.6, 0.5),
            Ingredient(sounds.footsteps, -12, 0.5, 0.4),
            Ingredient(sounds.wind, -10, 0.6),
        ),
    ),
    "tram": Scene(
        (0.08, 0.3),
        (
            Ingredient(sounds.rumble, -1, character=(0.0, 0.6)),
            Ingredient(sounds.whine, -4, 0.95, 0.9, (0.0, 0.7)),
            Ingredient(sounds.bell, -2, 0.8, 0.3, (0.5, 1.0)),
            Ingredient(sounds.air, -8, character=(0.1, 0.6)),
            Ingredient(sounds.clack, -9, 0.6, 0.4),
            Ingredient(sounds.squeal, -9, 0.6, 0.25, (0.0, 0.6)),
            Ingredient(sounds.babble, -8, 0.8, 0.7, (0.0, 0.5)),
            Ingredient(sounds.passing, -12, 0.5, 0.3),
        ),
    ),
}
