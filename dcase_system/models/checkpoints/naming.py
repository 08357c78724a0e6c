"""How a published checkpoint names the tensors of a network."""

from dataclasses import dataclass

from dcase_system.models.checkpoints.mapping import Unused

COUNTER = Unused(
    r"(.*\.)?num_batches_tracked", "counts batches; read only where PyTorch's momentum is None"
)


@dataclass(frozen=True)
class Published:
    """Naming of one architecture's published tensors.

    Attributes:
        modules: (PyTorch module, Keras layer) for all layers with weights.
        head: Keras layers of the classifier, which a new head replaces.
        anchor: Tensor that every such checkpoint has; what precedes it in a name is the prefix.
        head_tensor: Tensor whose first axis is the classes.
        unused: Tensors of the network that may be left out.
        beside: Tensors outside the prefix that may be left out.
        mirrored: Whether PyTorch's convolutions have the axes (frames, mels).
    """

    modules: tuple[tuple[str, str], ...]
    head: tuple[str, ...]
    anchor: str
    head_tensor: str
    unused: tuple[Unused, ...] = (COUNTER,)
    beside: tuple[Unused, ...] = ()
    mirrored: bool = False
