"""What the level of samples says against them: silence and clipping."""

import numpy as np

# -80 dB of full scale: three steps of a 16-bit sample, so silence with dither is silent too, and
# the noise of a quiet place is not.
SILENT_PEAK = 1e-4
_CLIPPED_LEVEL, _CLIPPED_SHARE = 0.999, 1e-3


def level_notes(samples: np.ndarray) -> tuple[str, ...]:
    """Returns `silent` or `clipped` if samples are so, for full scale = 1; of any shape."""
    level = np.abs(samples)
    if level.max(initial=0.0) < SILENT_PEAK:
        return ("silent",)
    return ("clipped",) if (level >= _CLIPPED_LEVEL).mean() >= _CLIPPED_SHARE else ()
