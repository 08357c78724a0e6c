"""Reading a clip back."""

import wave

import numpy as np


def samples(path):
    """Samples of a one-second 24-bit clip at 44.1 kHz, from -1 to 1, shape (44100,)."""
    with wave.open(str(path)) as stream:
        assert stream.getparams()[:4] == (1, 3, 44_100, 44_100)
        triples = np.frombuffer(stream.readframes(44_100), np.uint8).reshape(-1, 3)
    return np.pad(triples, ((0, 0), (1, 0))).view("<i4")[:, 0] / 2**31
