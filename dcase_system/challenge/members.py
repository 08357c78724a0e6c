"""Hyper-parameters of the report's teachers (SJTU-THU, section 2.3), and of teachers for a CPU.

The report ensembles four PaSST: three published ones, fine-tuned on the split, and one trained from
scratch. It does not say which three. We train them as fschmid56/cpjku_dcase23 does.
"""

from collections.abc import Mapping
from typing import Any

PUBLISHED_MEMBERS = ("passt_s",) * 4
PRETRAINED_MEMBERS = 3
DEMO_MEMBERS = ("cp_mobile", "passt_tiny")
CHECKPOINTS = (
    "v0.0.1-audioset/passt-s-f128-p16-s10-ap.476-swa.pt",
    "v0.0.2-audioset/passt-s-f128-p16-s10-ap.4761-swa.pt",
    "v.0.0.9/passt-s-kd-ap.486.pt",
)
"""Three checkpoints with stride 10, from the releases of github.com/kkoutini/PaSST."""

# run_passt_training.py; the probability of impulse responses is a flag.
PASST: Mapping[str, Any] = {
    "epochs": 25,
    "batch_size": 80,
    "learning_rate": 1e-5,
    "weight_decay": 1e-3,
    "schedule": "exponential_linear",
    "roll_seconds": 10_000 / 32_000,
    "mask_mels": 48,
    "mask_frames": 20,
    "mixstyle_probability": 0.4,
    "mixstyle_alpha": 0.4,
}
# Ours: the report trains one member from scratch and does not say how. From random weights, the
# learning rate and epochs of fine-tuning get nowhere.
PASST_FROM_SCRATCH: Mapping[str, Any] = {
    **PASST,
    "epochs": 150,
    "learning_rate": 5e-4,
    "schedule": "warmup_cosine",
}
# Ours, for a CPU: the baseline's hyper-parameters with the teachers' augmentation.
CONVOLUTIONAL: Mapping[str, Any] = {
    "epochs": 150,
    "batch_size": 256,
    "learning_rate": 0.004,
    "roll_seconds": 0.3,
    "mixstyle_alpha": 0.4,
}
# main_cp_resnet.py of theMoro/DIRAugmentation.
CP_RESNET: Mapping[str, Any] = {
    "epochs": 50,
    "batch_size": 64,
    "learning_rate": 2e-4,
    "weight_decay": 0.01,
    "schedule": "exponential_linear",
    "roll_seconds": 0.3,
    "mask_mels": 0,
    "mixstyle_probability": 0.8,
    "mixstyle_alpha": 0.4,
}
# Ours: fine-tunes the published AudioSet weights. Masks and Freq-MixStyle cost accuracy.
YAMNET: Mapping[str, Any] = {
    "epochs": 30,
    "batch_size": 64,
    "learning_rate": 1e-4,
    "weight_decay": 1e-3,
    "roll_seconds": 0.3,
    "mask_mels": 0,
    "mixstyle_probability": 0.0,
    "mixup_alpha": 1.0,
}
# Ours: trains a classifier of embeddings alone, which takes more and larger steps. Mixup costs
# accuracy: the embedding of a mixture is no mixture of embeddings.
FROZEN: Mapping[str, Any] = {**YAMNET, "epochs": 60, "learning_rate": 1e-3, "mixup_alpha": 0.0}
DEMO: Mapping[str, Any] = {"batch_size": 64}
