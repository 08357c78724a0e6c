"""Architectures by name, and conversion of specs to and from JSON."""

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import keras

from dcase_system.core.checked import OfKind, parsed
from dcase_system.core.errors import InputError
from dcase_system.core.files import read_json
from dcase_system.models import (
    cnn10,
    cnn_gru,
    cp_resnet,
    linear,
    passt,
    scene_cnn,
    shufflenet,
    table_cnn,
    tf_sepnet,
    vision,
    yamnet,
)
from dcase_system.models import cp_mobile as cp

ARCHITECTURES: dict[str, Callable[[], Any]] = {
    "cp_mobile": cp.cp_mobile,
    "cp_mobile_2023": cp.cp_mobile_2023,
    "cp_mobile_teacher": cp.cp_mobile_teacher,
    **{
        f"sscp_mobile_{base}": partial(cp.sscp_mobile, base)
        for base in (16, 24, 32, 48, 64, 80, 96)
    },
    **{
        f"sscp_mobile_{name}": partial(cp.sscp_mobile_submitted, name)
        for name in ("s1", "s2", "s2c", "s3")
    },
    "cnn10": cnn10.CNN10Spec,
    **{
        f"ofa_{ratio}_{depth}": partial(cnn10.uniform_cnn10, ratio, depth)
        for ratio in (0.2, 0.4, 0.6, 0.8, 1.0)
        for depth in (1, 2)
    },
    "passt_s": passt.passt_s,
    **{f"passt_s_s{stride}": partial(passt.passt_s, stride) for stride in (12, 14, 16)},
    "passt_l": passt.passt_l,
    "passt_tiny": passt.passt_tiny,
    **{f"cp_resnet_{base}": partial(cp_resnet.cp_resnet, base) for base in (32, 64, 128)},
    "cp_resnet_1s": cp_resnet.cp_resnet_1s,
    "tf_sepnet_64": tf_sepnet.tf_sepnet_64,
    "cnn_gru": cnn_gru.CNNGRUSpec,
    "yamnet": yamnet.YAMNetSpec,
    "scene_a": scene_cnn.scene_a,
    "scene_a_table3": scene_cnn.scene_a_table3,
    "scene_b": scene_cnn.scene_b,
    "scene_b_table3": scene_cnn.scene_b_table3,
    "alexnet_modified": vision.AlexNetSpec,
    **{f"mobilenet_v{version}": partial(vision.MobileNetSpec, version) for version in (1, 2)},
    "shufflenet_v2": shufflenet.ShuffleNetV2Spec,
    **{f"separable_{base}": partial(table_cnn.separable, base) for base in (16, 24, 32)},
    "biodcase_baseline": table_cnn.biodcase_baseline,
}

_KINDS: dict[str, tuple[type, Callable[[Any], keras.Model]]] = {
    "cp_mobile": (cp.CPMobileSpec, cp.build_cp_mobile),
    "cnn10": (cnn10.CNN10Spec, cnn10.build_cnn10),
    "passt": (passt.PaSSTSpec, passt.build_passt),
    "cp_resnet": (cp_resnet.CPResNetSpec, cp_resnet.build_cp_resnet),
    "tf_sepnet": (tf_sepnet.TFSepNetSpec, tf_sepnet.build_tf_sepnet),
    "cnn_gru": (cnn_gru.CNNGRUSpec, cnn_gru.build_cnn_gru),
    "yamnet": (yamnet.YAMNetSpec, yamnet.build_yamnet),
    "linear": (linear.LinearSpec, linear.build_linear),
    "scene_cnn": (scene_cnn.SceneCNNSpec, scene_cnn.build_scene_cnn),
    "alexnet": (vision.AlexNetSpec, vision.build_alexnet),
    "mobilenet": (vision.MobileNetSpec, vision.build_mobilenet),
    "shufflenet_v2": (shufflenet.ShuffleNetV2Spec, shufflenet.build_shufflenet_v2),
    "table_cnn": (table_cnn.TableCNNSpec, table_cnn.build_table_cnn),
}

CLASSES = {kind: cls for kind, (cls, _) in _KINDS.items()}
"""Spec class of each family, by the kind that its JSON names."""
_SPEC = Annotated[Any, OfKind(CLASSES, "not an architecture spec")]


def named_spec(name: str) -> Any:
    """Returns the spec of a named architecture.

    Raises:
        InputError: There is no architecture of that name.
    """
    if name not in ARCHITECTURES:
        raise InputError(
            "unknown architecture",
            where="architecture",
            expected=" | ".join(ARCHITECTURES),
            received=name,
        )
    return ARCHITECTURES[name]()


def with_classes(spec: Any, classes: int) -> Any:
    """Copies a spec with another number of classes."""
    return replace(spec, classes=classes)


def for_clips(spec: Any, classes: int, frames: int) -> Any:
    """Copies a spec for another number of classes and another clip length.

    Args:
        spec: Architecture.
        classes: Number of logits.
        frames: Frames of a clip, as the front end returns them. A PaSST takes up to as many as it
            has positional embeddings for; it gets more only if a clip has more.
    """
    spec = with_classes(spec, classes)
    if isinstance(spec, passt.PaSSTSpec):
        return passt.with_room(spec, frames)
    return replace(spec, input_shape=(spec.input_shape[0], frames))


def build(spec: Any) -> keras.Model:
    """Builds the Keras model of a spec."""
    return _KINDS[kind_of(spec)][1](spec)


def build_fixed(spec: Any) -> keras.Model:
    """Builds the Keras model of a spec at exactly the spec's input shape, as counters require."""
    return at_fixed_length(build(spec), spec)


def at_fixed_length(network: keras.Model, spec: Any) -> keras.Model:
    """Copies a spec's network to exactly the spec's input shape, keeping its weights."""
    if None not in network.input_shape[1:]:
        return network
    fixed = keras.models.clone_model(network, keras.Input((*spec.input_shape, 1), name="log_mel"))
    fixed.set_weights(network.get_weights())
    return fixed


def spec_to_json(spec: Any) -> dict:
    """Converts a spec to JSON-serialisable values, including its kind."""
    return {"kind": kind_of(spec), **asdict(spec)}


def spec_from_json(values: Any, where: object = "spec") -> Any:
    """Restores a spec from the output of `spec_to_json`.

    Raises:
        InputError: The kind is unknown, or a field is missing, unknown or of the wrong type.
    """
    return parsed(values, _SPEC, where)


def read_spec(path: str | Path) -> Any:
    """Reads a spec from a JSON file."""
    try:
        values = read_json(path)
    except (OSError, ValueError) as error:
        raise InputError(
            f"spec cannot be read ({error})", where=path, expected="a JSON file"
        ) from error
    return spec_from_json(values, path)


def kind_of(spec: Any) -> str:
    """Returns the name of a spec's family."""
    for kind, (cls, _) in _KINDS.items():
        if isinstance(spec, cls):
            return kind
    raise TypeError(f"expected an architecture spec, received {type(spec).__name__}")
