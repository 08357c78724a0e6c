"""The rank of BioDCASE-Tiny 2026: a weighted sum of accuracy and costs."""

from collections.abc import Mapping
from dataclasses import dataclass

from dcase_system.biodcase.board import PREPROCESSING_MS, SETUP_MS, BoardReport


@dataclass(frozen=True)
class Measures:
    """What the contest ranks by; `keras` is the `.keras` file, `tflite` the `.tflite` file.

    Attributes:
        accuracy_keras: Share of the clips that are right, from 0 to 1.
        accuracy_tflite: The same.
        roc_auc_keras: Area under the ROC curve, one class against the rest, mean over the classes.
        roc_auc_tflite: The same.
        bytes_keras: Size of the file.
        bytes_tflite: Size of the file.
        macs_keras: Multiply-accumulates of one clip.
        params_keras: Parameters.
        board: Costs of the `.tflite` file.
    """

    accuracy_keras: float
    accuracy_tflite: float
    roc_auc_keras: float
    roc_auc_tflite: float
    bytes_keras: int
    bytes_tflite: int
    macs_keras: int
    params_keras: int
    board: BoardReport


# (weight, value that scores 0, value that scores the whole weight), as published.
_TERMS: Mapping[str, tuple[float, float, float]] = {
    "accuracy_inference": (1.0, 0.56, 1.0),
    "accuracy_tflite": (2.0, 0.56, 1.0),
    "roc_auc_inference": (0.5, 0.89, 0.97),
    "roc_auc_tflite": (0.5, 0.89, 0.97),
    "model_size_tflite_bytes": (0.5, 4_755_032, 42_232),
    "macs_inference": (0.3, 267_313_754, 23_326_923),
    "macs_tflite": (0.5, 567_313_754, 3_911_888),
    "embedded_time_ms_preprocessing": (0.3, 477.46, 241.12),
    "embedded_time_ms_model": (0.4, 2_000, 287.53),
    "embedded_time_ms_total": (0.5, 2_000, 287.53),
    "embedded_ram_usage_bytes": (0.5, 1_000_000, 95_900),
}
_MAY_BE_NEGATIVE = (
    *("accuracy_inference", "accuracy_tflite", "roc_auc_inference", "roc_auc_tflite"),
    "model_size_tflite_bytes",
)


def measured(measures: Measures) -> dict[str, float]:
    """Names what was measured as the contest's result files do, accuracies with four decimals."""
    return {
        "accuracy_inference": round(measures.accuracy_keras, 4),
        "accuracy_tflite": round(measures.accuracy_tflite, 4),
        "roc_auc_inference": round(measures.roc_auc_keras, 4),
        "roc_auc_tflite": round(measures.roc_auc_tflite, 4),
        "model_size_inference_bytes": measures.bytes_keras,
        "model_size_tflite_bytes": measures.bytes_tflite,
        "macs_inference": measures.macs_keras,
        "macs_tflite": measures.board.macs,
        "num_params_inference": measures.params_keras,
        "num_params_tflite": measures.board.params,
    }


def modelled(board: BoardReport) -> dict[str, float]:
    """Names what was not measured: the time of the model and the RAM are modelled.

    The times of start and front end are the published ones of the contest's own code.
    """
    return {
        "embedded_time_ms_setup": SETUP_MS,
        "embedded_time_ms_preprocessing": PREPROCESSING_MS,
        "embedded_time_ms_model": round(board.model_ms, 2),
        "embedded_time_ms_total": round(SETUP_MS + PREPROCESSING_MS + board.model_ms, 2),
        "embedded_ram_usage_bytes": board.ram_bytes,
    }


def rank_terms(values: Mapping[str, float]) -> dict[str, float]:
    """Returns the terms of the rank; their sum is the score.

    Args:
        values: Values by the names of the contest's result files, such as those of `measured` and
            `modelled` together.
    """
    terms = {}
    for name, (weight, zero, full) in _TERMS.items():
        term = weight * (values[name] - zero) / (full - zero)
        terms[name] = term if name in _MAY_BE_NEGATIVE else max(term, 0.0)
    return terms
