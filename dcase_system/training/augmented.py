"""The training graph of a classifier: front end, augmentation, network."""

from collections.abc import Sequence

import keras

from dcase_system.audio.augment import AxisMask, FreqMixStyle, TimeRoll
from dcase_system.audio.front_ends import front_end
from dcase_system.audio.specs import FrontEndSpec
from dcase_system.parallel.replicas import Replicated
from dcase_system.training.seeds import derive


def waveform_model(
    network: keras.Model,
    front_end: keras.layers.Layer,
    samples: int,
    *,
    waveform_augmentation: Sequence[keras.layers.Layer] = (),
    feature_augmentation: Sequence[keras.layers.Layer] = (),
) -> keras.Model:
    """Puts augmentation and the front end before a network: waveform in, logits out.

    Augmentation is active only in training. The network's weights are shared, not copied.

    Args:
        network: Network from features to logits.
        front_end: Layer from waveforms to features.
        samples: Clip length in samples.
        waveform_augmentation: Layers before the front end.
        feature_augmentation: Layers between the front end and the network.
    """
    waveforms = keras.Input((samples,), name="waveform")
    x = waveforms
    for layer in (*waveform_augmentation, front_end, *feature_augmentation):
        x = layer(x)
    return keras.Model(waveforms, Replicated(network)(x), name=f"waveform_{network.name}")


def heard_by(model: keras.Model) -> keras.KerasTensor:
    """Returns the waveforms that the front end of an `augmented_model` gets, (batch, samples)."""
    return next(layer.output for layer in model.layers if isinstance(layer, TimeRoll))


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
    """Builds the training model: roll, front end, masks, Freq-MixStyle, network.

    Args:
        network: Network from spectrogram (batch, mels, frames, 1) to logits.
        spec: Front end.
        samples: Clip length in samples.
        roll_seconds: Largest time roll.
        mask_mels: Largest frequency mask, in mel bands.
        mask_frames: Largest time mask, in frames.
        mixstyle_probability: Probability of applying Freq-MixStyle to a batch.
        mixstyle_alpha: Parameter of Freq-MixStyle's Beta distribution.
        seed: Seed for all augmentation.
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
