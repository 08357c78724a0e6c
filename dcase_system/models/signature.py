"""Signature of a network: all a device needs besides the model file."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.special import expit, softmax

from dcase_system.audio.mel_features import MelFeatures, MelSpec
from dcase_system.audio.specs import AnySpec, ScalogramSpec, front_end_to_json
from dcase_system.core.checked import parsed
from dcase_system.core.errors import InputError
from dcase_system.core.files import read_json, write_json

if TYPE_CHECKING:
    import tensorflow as tf

FILE = "contract.json"
Activation = Literal["softmax", "sigmoid", "scaled_sigmoid"]


@dataclass(frozen=True)
class Normalisation:
    """Normalises features to (features - mean) / scale; both are (bands, channels)."""

    mean: tuple[tuple[float, ...], ...]
    scale: tuple[tuple[float, ...], ...]


# Arrays and the cached layer cannot take part in a comparison.
@dataclass(frozen=True, eq=False)
class ModelSignature:
    """Input and output of a network.

    Attributes:
        labels: Class names in the order of the logits.
        front_end: Front end; its sample rate is that of the waveforms.
        samples: Samples per clip.
        channels: Channels per clip.
        activation: Function from logits to probabilities: `softmax` if one class is present,
            `sigmoid` if several may be, `scaled_sigmoid` for sigmoids scaled to sum to 1 (the scene
            search's).
        normalisation: Normalisation of the features, if the network was trained with one.
        rejection_threshold: Probability of the most probable class below which the answer is
            `unknown`; None if there is no such answer.
    """

    labels: tuple[str, ...]
    front_end: AnySpec
    samples: int
    channels: int = 1
    activation: Activation = "softmax"
    normalisation: Normalisation | None = None
    rejection_threshold: float | None = None

    @property
    def sample_rate(self) -> int:
        """Sample rate in Hz."""
        return self.front_end.sample_rate

    @property
    def waveform_shape(self) -> tuple[int, ...]:
        """Shape of one clip: (samples,), or (samples, channels) with several channels."""
        return (self.samples,) if self.channels == 1 else (self.samples, self.channels)

    @property
    def segments(self) -> int:
        """Number of network inputs per clip."""
        if isinstance(self.front_end, ScalogramSpec):
            return self.front_end.segments(self.samples)
        return 1

    @cached_property
    def _layer(self):
        from dcase_system.audio.front_ends import front_end  # imports TensorFlow

        # A fixed name: exported files contain it and must be identical from every process.
        return front_end(self.front_end, name="front_end")

    def features(self, waveforms) -> "tf.Tensor":
        """Computes network inputs from waveforms (clips, *waveform_shape).

        Returns (clips * segments, bands, frames, channels).
        """
        x = self._layer(waveforms)
        if isinstance(self.front_end, ScalogramSpec):
            import tensorflow as tf

            from dcase_system.audio.scalogram import cut_segments

            x = cut_segments(x, self.front_end)  # (clips, segments, bands, frames, channels)
            x = tf.reshape(x, (-1, *x.shape[2:]))
        return self._normalised(x)

    def numpy_features(self) -> Callable[[np.ndarray], np.ndarray] | None:
        """Returns `features` without TensorFlow, for the mel front ends; None for another one."""
        if not isinstance(self.front_end, MelSpec):
            return None
        layer = MelFeatures(self.front_end)
        return lambda waveforms: self._normalised(layer(waveforms))

    def _normalised(self, features):
        if self.normalisation is None:
            return features
        mean, scale = (
            np.array(values, np.float32)[:, None]
            for values in (self.normalisation.mean, self.normalisation.scale)
        )
        return (features - mean) / scale

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Converts logits (clips * segments, classes) to probabilities (clips, classes)."""
        return clip_probabilities(logits, self.segments, self.activation)

    def to_json(self) -> dict[str, Any]:
        """Converts the signature to JSON-serialisable values."""
        normalisation = self.normalisation and dict(vars(self.normalisation))
        return {
            "labels": list(self.labels),
            "samples": self.samples,
            "channels": self.channels,
            "activation": self.activation,
            "normalisation": normalisation,
            "rejection_threshold": self.rejection_threshold,
            "front_end": front_end_to_json(self.front_end),
        }

    @staticmethod
    def from_json(values: Any, where: object) -> "ModelSignature":
        """Restores a signature from the output of `to_json`.

        Raises:
            InputError: A field is missing, unknown or wrong.
        """
        if isinstance(values, dict):  # files of earlier versions have no threshold
            values = {"rejection_threshold": None, **values}
        return parsed(values, ModelSignature, where)


def clip_probabilities(
    segment_logits: np.ndarray, per_clip: int, activation: Activation
) -> np.ndarray:
    """Averages the segments' probabilities.

    A mean of sigmoids need not sum to 1; scaling it to do so does not change the decision.

    Args:
        segment_logits: (clips * segments, classes), clip by clip.
        per_clip: Segments per clip.
        activation: Activation of the logits.

    Returns:
        float64 (clips, classes).
    """
    logits = segment_logits.astype(np.float64)
    values = softmax(logits, axis=-1) if activation == "softmax" else expit(logits)
    means = values.reshape(-1, per_clip, logits.shape[-1]).mean(axis=1)
    return means / means.sum(axis=-1, keepdims=True) if activation == "scaled_sigmoid" else means


def save_signature(folder: Path, signature: ModelSignature) -> None:
    """Writes a signature to `contract.json` in a network's folder."""
    write_json(folder / FILE, signature.to_json())


def load_signature(folder: Path) -> ModelSignature:
    """Loads the signature of a stored network.

    Raises:
        InputError: There is no signature, or the file is not one.
    """
    path = folder / FILE
    try:
        values = read_json(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(
            f"signature cannot be read ({reason})",
            where=path,
            expected="the file that every training writes next to the network",
        ) from error
    return ModelSignature.from_json(values, path)
