"""The training graph of a classifier: front end, augmentation, network."""

import keras

from dcase_system.audio.augment import AxisMask, FreqMixStyle, TimeRoll
from dcase_system.audio.front_ends import FrontEndSpec, front_end
from dcase_system.training.fit import waveform_model
from dcase_system.training.seeds import derive


def augmented_model(
    network: keras.Model,
    spec: FrontEndSpec,
    samples: int,
    *,
    roll_seconds: float,
    mask_mels: int,
    mask_frames: int,
    mixstyle_probability: float,
    mixstyle_alpha: float,
    seed: int,
) -> keras.Model:
    """Waveform to logits, augmented in training: roll, front end, masks, Freq-MixStyle, network.

    Args:
        network: spectrogram (batch, mels, frames, 1) to logits.
        spec: of the front end.
        samples: length of a clip.
        roll_seconds: largest time roll.
        mask_mels: largest frequency mask in mel bands.
        mask_frames: largest time mask in frames.
        mixstyle_probability: of Freq-MixStyle, by batch.
        mixstyle_alpha: of its Beta distribution.
        seed: of all draws.
    """
    return waveform_model(
        network,
        front_end(spec, derive(seed, "front end")),
        samples,
        waveform_augmentation=[
            TimeRoll(round(roll_seconds * spec.sample_rate), seed=derive(seed, "time roll"))
        ],
        feature_augmentation=[
            AxisMask(1, mask_mels, spec.mask_value, seed=derive(seed, "mel mask")),
            AxisMask(2, mask_frames, spec.mask_value, seed=derive(seed, "frame mask")),
            FreqMixStyle(mixstyle_probability, mixstyle_alpha, seed=derive(seed, "Freq-MixStyle")),
        ],
    )
