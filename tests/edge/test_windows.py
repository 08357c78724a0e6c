import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcase_system.audio.decode import open_audio
from dcase_system.core.errors import InputError
from dcase_system.edge.windows import band_note, rest_note, windows_of, with_rest_noted
from tests.audio.audio_files import chunk, fmt_chunk, riff

RATE = 8_000  # of the signature, with windows of a second


def ramp(samples: int, channels: int = 1) -> np.ndarray:
    """Samples that tell where they were."""
    return np.repeat(np.linspace(-0.5, 0.5, samples, dtype=np.float32)[:, None], channels, axis=1)


@given(samples=st.integers(1, 40_000), hop=st.floats(0.05, 3.0))
@settings(max_examples=40, deadline=None)
def test_windows_are_the_recording_every_hop(signature, samples, hop):
    recording, step = ramp(samples), round(hop * RATE)
    windows = list(windows_of([recording], RATE, signature, hop))
    assert len(windows) == 1 + max(0, (samples - RATE) // step)
    for index, window in enumerate(windows):
        assert window.start_seconds == index * step / RATE
        if samples >= RATE:
            np.testing.assert_array_equal(
                window.waveform, recording[index * step : index * step + RATE, 0]
            )


def rest_of(windows) -> float:
    """What a generator of windows returns."""
    while True:
        try:
            next(windows)
        except StopIteration as end:
            return end.value


@given(samples=st.integers(1, 40_000), hop=st.floats(0.05, 3.0), block=st.integers(1, 9_000))
@settings(max_examples=60, deadline=None)
def test_the_rest_is_what_lies_behind_the_last_window(signature, samples, hop, block):
    recording, step = ramp(samples), round(hop * RATE)
    blocks = [recording[start : start + block] for start in range(0, samples, block)]
    last = max(0, (samples - RATE) // step) * step
    expected = max(0, samples - last - RATE) / RATE
    assert rest_of(windows_of(blocks, RATE, signature, hop)) == expected


def test_a_rest_is_noted_in_the_last_window_alone(signature):
    windows = list(with_rest_noted(windows_of([ramp(2 * RATE + 3_200)], RATE, signature)))
    assert [one.notes for one in windows] == [(), ("last 0.40 s not classified",)]


@pytest.mark.parametrize("samples", [3_000, RATE, 2 * RATE, 2 * RATE + 30])
def test_no_rest_is_not_noted(signature, samples):
    """Thirty samples would be said to be 0.00 s."""
    for window in with_rest_noted(windows_of([ramp(samples)], RATE, signature)):
        assert "not classified" not in "".join(window.notes)
    assert rest_note(0.0) is None


def test_windows_before_an_error_are_given_before_it(signature):
    def damaged():
        yield ramp(3 * RATE)
        raise InputError("damaged", where="clip.flac")

    windows = with_rest_noted(windows_of(damaged(), RATE, signature))
    assert [next(windows).start_seconds for _ in range(3)] == [0.0, 1.0, 2.0]
    with pytest.raises(InputError, match="damaged"):
        next(windows)


def test_a_short_recording_is_repeated_and_says_so(signature):
    (window,) = windows_of([ramp(3_000)], RATE, signature)
    np.testing.assert_array_equal(window.waveform[3_000:6_000], ramp(3_000)[:, 0])
    assert window.notes == ("repeated: shorter than 1 s",)


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 2), (44_100, 1), (48_000, 6), (4_000, 1)])
def test_other_rates_and_channels_become_the_networks(signature, rate, channels):
    """A tone of 500 Hz in all channels is that tone again."""
    time = np.arange(2 * rate) / rate
    tone = np.repeat(0.5 * np.sin(2 * np.pi * 500 * time)[:, None], channels, axis=1)
    windows = list(windows_of([tone.astype(np.float32)], rate, signature))
    assert [window.start_seconds for window in windows] == [0.0, 1.0]
    expected = 0.5 * np.sin(2 * np.pi * 500 * np.arange(RATE) / RATE)
    np.testing.assert_allclose(windows[0].waveform[200:-200], expected[200:-200], atol=0.01)


def test_channels_of_a_stereo_network(signature):
    stereo = replace(signature, channels=2)
    (mono,) = windows_of([ramp(RATE)], RATE, stereo)
    assert mono.waveform.shape == (RATE, 2) and mono.notes == ("one channel for all 2",)
    (both,) = windows_of([ramp(RATE, 2)], RATE, stereo)
    assert both.notes == ()
    with pytest.raises(InputError, match="channels; expected 1 or 2; received 6"):
        list(windows_of([ramp(RATE, 6)], RATE, stereo))


def test_silence_and_clipping_are_noted(signature):
    (silent,) = windows_of([np.full((RATE, 1), 1e-5, np.float32)], RATE, signature)
    assert silent.notes == ("silent",)
    loud = np.clip(3 * ramp(RATE), -1, 1)
    (clipped,) = windows_of([loud], RATE, signature)
    assert clipped.notes == ("clipped",)


def test_no_samples_are_refused(signature):
    with pytest.raises(InputError, match="no samples"):
        list(windows_of([np.empty((0, 1), np.float32)], RATE, signature))
    with pytest.raises(InputError, match="no samples"):
        list(windows_of([], RATE, signature))


@settings(max_examples=80, deadline=None)
@given(
    rate=st.sampled_from([4_000, 8_000, 11_025, 16_000, 22_050, 44_100]),
    seconds=st.floats(0.001, 4.0),
    cuts=st.lists(st.floats(0.0, 1.0), max_size=12),
    hop=st.one_of(st.none(), st.floats(0.02, 2.5)),
    channels=st.sampled_from([(1, 1), (2, 1), (1, 2), (2, 2), (3, 1)]),
)
def test_blocks_of_any_lengths_make_the_windows_of_the_whole(
    signature, rate, seconds, cuts, hop, channels
):
    found, wanted = channels
    frames = max(1, round(seconds * rate))
    recording = np.random.default_rng(frames).normal(0, 0.3, (frames, found)).astype(np.float32)
    blocks = np.split(recording, sorted(round(cut * frames) for cut in cuts))
    signature = replace(signature, channels=wanted)
    whole = list(windows_of([recording], rate, signature, hop))
    pieces = list(windows_of(iter(blocks), rate, signature, hop))
    assert len(pieces) == len(whole) > 0
    for one, other in zip(pieces, whole, strict=True):
        assert (one.start_seconds, one.notes) == (other.start_seconds, other.notes)
        np.testing.assert_array_equal(one.waveform, other.waveform)


@pytest.mark.parametrize("hop", [0.25, 1.0, 2.5])
@pytest.mark.parametrize("rate", [RATE, 44_100])
def test_a_window_is_given_as_soon_as_it_is_there(signature, rate, hop):
    read = 0

    def microphone():
        nonlocal read
        for _ in range(100):
            read += rate // 10
            yield np.full((rate // 10, 1), 0.1, np.float32)

    for window in windows_of(microphone(), rate, signature, hop):
        assert read / rate <= window.start_seconds + 1.2 + 1e-9


def test_memory_does_not_grow_with_the_recording(signature, tmp_path):
    def peak(seconds: int) -> int:
        path = tmp_path / "long.wav"
        samples = 2 * 44_100 * seconds
        path.write_bytes(riff(fmt_chunk(2, 44_100, 8, 2) + chunk(b"data", b"", samples)))
        with path.open("rb+") as stream:
            stream.truncate(path.stat().st_size + samples)  # a hole
        tracemalloc.start()
        with open_audio(path) as recording:
            windows = windows_of(recording.blocks(), recording.sample_rate, signature)
            assert sum(1 for _ in windows) == seconds
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(120) < 1.1 * peak(10) < 4e6


def test_a_lower_rate_leaves_out_a_band(signature):
    assert band_note(RATE, signature) is None
    assert "nothing above 2,000 Hz" in band_note(4_000, signature)
