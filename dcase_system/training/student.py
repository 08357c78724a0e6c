"""The student's training graph: front end and augmentation of the 2024 baseline and a network."""

import math

import keras

from dcase_system.audio.augment import AxisMask, FreqMixStyle, TimeRoll
from dcase_system.audio.log_mel import LogMel, LogMelSpec
from dcase_system.training.fit import waveform_model
from dcase_system.training.seeds import derive


def student_model(
    network: keras.Model,
    spec: LogMelSpec,
    samples: int,
    *,
    roll_seconds: float,
    mask_mels: int,
    mask_frames: int,
    mixstyle_probability: float,
    mixstyle_alpha: float,
    seed: int,
) -> keras.Model:
    """Waveform to logits, augmented in training: roll, log-mel, masks, Freq-MixStyle, network.

    Args:
        network: log-mel (batch, mels, frames, 1) to logits.
        spec: constants of the log-mel front end.
        samples: length of a clip.
        roll_seconds: largest time roll.
        mask_mels: largest frequency mask in mel bands.
        mask_frames: largest time mask in frames.
        mixstyle_probability: of Freq-MixStyle, by batch.
        mixstyle_alpha: of its Beta distribution.
        seed: of all draws.
    """
    # The baseline masks mel power with 0 before log(power + offset): this is its value after it.
    floor = math.log(spec.log_offset)
    return waveform_model(
        network,
        LogMel(spec),
        samples,
        waveform_augmentation=[
            TimeRoll(round(roll_seconds * spec.sample_rate), seed=derive(seed, 1))
        ],
        feature_augmentation=[
            AxisMask(1, mask_mels, floor, seed=derive(seed, 2)),
            AxisMask(2, mask_frames, floor, seed=derive(seed, 3)),
            FreqMixStyle(mixstyle_probability, mixstyle_alpha, seed=derive(seed, 4)),
        ],
    )
