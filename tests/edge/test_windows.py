import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcase_system.edge.windows import PCMFormat, band_note, pcm_windows, windows_of
from dcase_system.errors import InputError

RATE = 8_000  # of the contract, with windows of a second
S16 = PCMFormat("S16_LE", RATE)


def ramp(samples: int, channels: int = 1) -> np.ndarray:
    """Samples that tell where they were."""
    return np.repeat(np.linspace(-0.5, 0.5, samples, dtype=np.float32)[:, None], channels, axis=1)


def pcm(samples: np.ndarray) -> io.BytesIO:
    return io.BytesIO(np.rint(samples * 2**15).astype("<i2").tobytes())


@given(samples=st.integers(1, 40_000), hop=st.floats(0.05, 3.0))
@settings(max_examples=40, deadline=None)
def test_windows_are_the_recording_every_hop(contract, samples, hop):
    recording, step = ramp(samples), round(hop * RATE)
    windows = list(windows_of(recording, RATE, contract, hop))
    assert len(windows) == 1 + max(0, (samples - RATE) // step)
    for index, window in enumerate(windows):
        assert window.start_seconds == index * step / RATE
        if samples >= RATE:
            np.testing.assert_array_equal(
                window.waveform, recording[index * step : index * step + RATE, 0]
            )


def test_a_short_recording_is_repeated_and_says_so(contract):
    (window,) = windows_of(ramp(3_000), RATE, contract)
    np.testing.assert_array_equal(window.waveform[3_000:6_000], ramp(3_000)[:, 0])
    assert window.notes == ("repeated: shorter than 1 s",)


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 2), (44_100, 1), (48_000, 6), (4_000, 1)])
def test_other_rates_and_channels_become_the_networks(contract, rate, channels):
    """A tone of 500 Hz in all channels is that tone again."""
    time = np.arange(2 * rate) / rate
    tone = np.repeat(0.5 * np.sin(2 * np.pi * 500 * time)[:, None], channels, axis=1)
    windows = list(windows_of(tone.astype(np.float32), rate, contract))
    assert [window.start_seconds for window in windows] == [0.0, 1.0]
    expected = 0.5 * np.sin(2 * np.pi * 500 * np.arange(RATE) / RATE)
    np.testing.assert_allclose(windows[0].waveform[200:-200], expected[200:-200], atol=0.01)


def test_channels_of_a_stereo_network(contract):
    stereo = replace(contract, channels=2)
    (mono,) = windows_of(ramp(RATE), RATE, stereo)
    assert mono.waveform.shape == (RATE, 2) and mono.notes == ("one channel for all 2",)
    (both,) = windows_of(ramp(RATE, 2), RATE, stereo)
    assert both.notes == ()
    with pytest.raises(InputError, match="channels; expected 1 or 2; received 6"):
        list(windows_of(ramp(RATE, 6), RATE, stereo))


def test_silence_and_clipping_are_noted(contract):
    (silent,) = windows_of(np.full((RATE, 1), 1e-5, np.float32), RATE, contract)
    assert silent.notes == ("silent",)
    loud = np.clip(3 * ramp(RATE), -1, 1)
    (clipped,) = windows_of(loud, RATE, contract)
    assert clipped.notes == ("clipped",)


def test_no_samples_are_refused(contract):
    with pytest.raises(InputError, match="no samples"):
        list(windows_of(np.empty((0, 1), np.float32), RATE, contract))
    with pytest.raises(InputError, match="no samples"):
        list(pcm_windows(io.BytesIO(), S16, contract))


@pytest.mark.parametrize("hop", [None, 0.25, 1.5])
@pytest.mark.parametrize("samples", [2_000, RATE, 3 * RATE + 17])
def test_a_stream_has_the_windows_of_the_recording(contract, samples, hop):
    recording = np.rint(ramp(samples) * 2**15) / 2**15
    streamed = list(pcm_windows(pcm(recording), S16, contract, hop))
    whole = list(windows_of(recording.astype(np.float32), RATE, contract, hop))
    assert len(streamed) == len(whole)
    for one, other in zip(streamed, whole, strict=True):
        assert (one.start_seconds, one.notes) == (other.start_seconds, other.notes)
        np.testing.assert_array_equal(one.waveform, other.waveform)


def test_a_window_is_given_before_the_stream_goes_on(contract):
    class Microphone(io.BytesIO):
        asked = 0

        def read(self, size=-1):
            self.asked += 1
            return super().read(size)

    microphone = Microphone(pcm(ramp(3 * RATE)).getvalue())
    next(pcm_windows(microphone, S16, contract))
    assert microphone.asked == 1


@pytest.mark.parametrize(("name", "kind"), [("S32_LE", "<i4"), ("FLOAT_LE", "<f4")])
def test_other_sample_formats_and_half_a_sample_at_the_end(contract, name, kind):
    scale = 1 if kind == "<f4" else 2**31
    data = (ramp(RATE, 2) * scale).astype(kind).tobytes() + b"\x00\x01"
    (window,) = pcm_windows(io.BytesIO(data), PCMFormat(name, RATE, 2), contract)
    np.testing.assert_allclose(window.waveform, ramp(RATE)[:, 0], atol=1e-6)


def test_a_wav_file_and_nan_in_a_stream_are_refused(contract):
    with pytest.raises(InputError, match="like a WAV file"):
        list(pcm_windows(io.BytesIO(b"RIFF" + bytes(40)), S16, contract))
    nan = np.full(RATE, np.nan, "<f4").tobytes()
    with pytest.raises(InputError, match="NaN"):
        list(pcm_windows(io.BytesIO(nan), PCMFormat("FLOAT_LE", RATE), contract))


def test_a_lower_rate_leaves_out_a_band(contract):
    assert band_note(RATE, contract) is None
    assert "nothing above 2,000 Hz" in band_note(4_000, contract)
