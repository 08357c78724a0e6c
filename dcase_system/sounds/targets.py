"""Budgets for the devices that a network of one's own sounds is made for."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """What a network may cost on a device, for windows of one second.

    Attributes:
        max_macs: MACs of a window.
        max_bytes: Bytes of the parameters at float16.
        architecture: Network within these limits that is trained at its final width.
    """

    max_macs: int
    max_bytes: int
    architecture: str


# The limits are those of SSCP-Mobile 16, 24 and 32. Their int8 files need 161, 260 and 336 kB of
# arena, and the front end 39 kB, beside the RAM of the class: 256 kB, 512 kB and 1 MB.
TARGETS: Mapping[str, Target] = {
    "cortex-m4": Target(8_200_000, 40_000, "sscp_mobile_16"),
    "esp32-s3": Target(17_300_000, 73_000, "sscp_mobile_24"),
    "cortex-m7": Target(30_000_000, 128_000, "sscp_mobile_32"),
    "browser": Target(30_000_000, 128_000, "sscp_mobile_32"),
}
