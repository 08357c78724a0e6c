"""Headers that contradict themselves or their file: decoded correctly or refused."""

import struct

import numpy as np
import pytest

from dcase_system.audio.decode import open_audio, read_audio
from dcase_system.audio.store import ingest
from dcase_system.core.errors import InputError
from tests.audio.audio_files import (
    chunk,
    encoded,
    fmt_chunk,
    pcm_bytes,
    riff,
    rifx_bytes,
    wav_bytes,
    with_streaminfo,
)

RATE = 32_000
TONE = 0.25 * np.sin(2 * np.pi * 440 * np.arange(3_200) / RATE)[:, None]
STEREO = np.concatenate([TONE, -TONE], axis=1)
LONG = np.tile(TONE, (30, 1))
SIXTEEN = pcm_bytes(TONE, 16)
CONTAINERS = {
    "WAV": "PCM_16",
    "RF64": "PCM_24",
    "W64": "FLOAT",
    "AIFF": "PCM_24",
    "AU": "PCM_16",
    "CAF": "ALAC_16",
    "FLAC": "PCM_24",
    "OGG": "VORBIS",
    "MP3": "MPEG_LAYER_III",
}


def refused(tmp_path, content: bytes, message: str) -> None:
    path = tmp_path / "clip.wav"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_audio(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


def decoded(tmp_path, content: bytes) -> np.ndarray:
    (tmp_path / "clip").write_bytes(content)
    return read_audio(tmp_path / "clip")[0]


def wav(channels: int, bits: int, block_align: int, data: bytes, tag: int = 1) -> bytes:
    return riff(fmt_chunk(channels, RATE, bits, block_align, tag) + chunk(b"data", data))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (wav(1, 24, 4, pcm_bytes(TONE, 24, 4)), "block align 3 of 1 x 24 bits .*received .* 4$"),
        (wav(2, 24, 8, pcm_bytes(STEREO, 24, 4)), "block align 6 of 2 x 24 bits .*S32_LE.* 8$"),
        (wav(1, 16, 4, pcm_bytes(TONE, 16, 4)), "block align 2 of 1 x 16 bits; received .* 4$"),
        (wav(1, 12, 4, pcm_bytes(TONE, 12, 4)), "block align 2 of 1 x 12 bits; received .* 4$"),
        (wav(2, 16, 2, pcm_bytes(STEREO, 16)), "block align 4 of 2 x 16 bits; received .* 2$"),
        (wav(1, 64, 4, TONE.astype("<f4").tobytes(), 3), "align 8 of 1 x 64 bits; received .* 4$"),
        (wav(1, 16, 2, TONE.astype("<f4").tobytes(), 3), "cannot be decoded|contradicts"),
    ],
    ids=["S24_LE", "S24_LE stereo", "16 in 32", "12 in 32", "half a frame", "float", "float 16"],
)
def test_a_wav_whose_block_align_and_bits_differ_is_refused(tmp_path, content, message):
    refused(tmp_path, content, message)


@pytest.mark.parametrize(
    ("content", "tolerance"),
    [
        (wav(1, 12, 2, pcm_bytes(np.floor(TONE * 2048) / 2048, 16)), 2.0**-11),
        (wav(1, 20, 3, pcm_bytes(TONE, 24)), 1e-6),
        (wav(1, 16, 0, SIXTEEN), 2.0**-15),
        (wav(1, 8, 1, pcm_bytes(TONE, 8)), 2.0**-7),
        (wav(1, 64, 8, TONE.astype("<f8").tobytes(), 3), 1e-7),
        (encoded(TONE, RATE, "RF64", "PCM_24"), 1e-6),
        (encoded(TONE, RATE, "WAV", "ULAW"), 2e-2),
        (b"ID3\4\0\0\0\0\0\x0a" + bytes(10) + encoded(TONE, RATE, "FLAC", "PCM_16"), 2.0**-15),
        (encoded(TONE, RATE, "FLAC", "PCM_S8"), 2.0**-7),
    ],
    ids=["12 in 16", "20 in 24", "no align", "8", "double", "RF64", "u-law", "ID3 FLAC", "FLAC 8"],
)
def test_unusual_files_that_say_one_thing_are_read(tmp_path, content, tolerance):
    np.testing.assert_allclose(decoded(tmp_path, content), TONE, atol=tolerance)


@pytest.mark.parametrize(("said", "stored"), [(24, "PCM_16"), (8, "PCM_16"), (16, "PCM_24")])
def test_a_flac_has_the_bits_of_its_frames(tmp_path, said, stored):
    flac = with_streaminfo(encoded(TONE, RATE, "FLAC", stored), bits=said)
    np.testing.assert_allclose(decoded(tmp_path, flac), TONE, atol=2.0**-15)


@pytest.mark.parametrize("bits", [4, 12, 20, 32])
def test_a_flac_of_bits_that_are_not_decoded_is_refused(tmp_path, bits):
    flac = with_streaminfo(encoded(TONE, RATE, "FLAC", "PCM_16"), bits=bits)
    refused(tmp_path, flac, f"FLAC of a bit depth .*; expected 8, 16 or 24 bits; received {bits}$")


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize("kind", ["i2", "i4", "f4", "f8"])
def test_a_big_endian_wav_is_read_and_checked_like_others(tmp_path, kind, extensible):
    whole = rifx_bytes(STEREO, RATE, kind, extensible)
    np.testing.assert_allclose(decoded(tmp_path, whole), STEREO, atol=2.0**-15)
    held = len(STEREO) * 2 * np.dtype(kind).itemsize
    message = f"WAV data is truncated; expected {held} bytes of samples; received {held - 100}"
    refused(tmp_path, whole[:-100], message)
    align = whole.index(b"fmt ") + 8 + 12
    torn = whole[:align] + struct.pack(">H", 6) + whole[align + 2 :]
    refused(tmp_path, torn, "WAV header contradicts itself; .*; received block align 6")


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_an_rf64_is_read_and_checked_like_a_wav(tmp_path, subtype):
    whole = encoded(LONG, RATE, "RF64", subtype)
    np.testing.assert_allclose(decoded(tmp_path, whole), LONG, atol=2.0**-15)
    refused(tmp_path, whole[:-100], "RF64 data is truncated; expected .* bytes of samples")
    align = whole.index(b"fmt ") + 8 + 12
    torn = whole[:align] + struct.pack("<H", 6) + whole[align + 2 :]
    refused(tmp_path, torn, "header contradicts itself; .*; received block align 6")


@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("endian", ["BIG", "LITTLE"])
def test_an_au_of_either_order_is_read_and_checked(tmp_path, subtype, endian):
    whole = encoded(LONG, RATE, "AU", subtype, endian)
    assert whole[:4] == {"BIG": b".snd", "LITTLE": b"dns."}[endian]
    np.testing.assert_allclose(decoded(tmp_path, whole), LONG, atol=2.0**-7)
    refused(tmp_path, whole[:-100], "AU data is truncated")


@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT"])
def test_an_aiff_of_every_bit_depth_is_read(tmp_path, subtype):
    whole = encoded(LONG, RATE, "AIFF", subtype)
    np.testing.assert_allclose(decoded(tmp_path, whole), LONG, atol=2.0**-7)


def test_a_format_that_is_not_read_is_named(tmp_path):
    broadcast = b"BW64" + encoded(TONE, RATE, "RF64")[4:]
    video = b"RIFF" + encoded(TONE, RATE, "WAV")[4:8] + b"AVI " + bytes(100)
    for content, name in ((broadcast, "BW64"), (video, "RIFF of type AVI")):
        message = (
            f"file of a format that is not read; expected WAV, .* converts .*; received {name}$"
        )
        refused(tmp_path, content, message)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("container", CONTAINERS)
def test_a_file_that_was_cut_is_refused(tmp_path, container, share):
    whole = encoded(LONG, RATE, container, CONTAINERS[container])
    assert len(decoded(tmp_path, whole)) == len(LONG)
    refused(tmp_path, whole[: int(share * len(whole))], "truncated|cannot be decoded")


def test_what_is_missing_of_a_wav_is_said(tmp_path):
    refused(
        tmp_path,
        wav_bytes(TONE, RATE, 24)[:-100],
        "WAV data is truncated; expected 9600 bytes of samples; received 9500",
    )


@pytest.mark.parametrize("exact", [True, False])
def test_a_store_takes_no_clip_that_was_cut(tmp_path, exact):
    for name, container in (("a.wav", "WAV"), ("b.flac", "FLAC"), ("c.ogg", "OGG")):
        whole = encoded(LONG, RATE, container)
        (tmp_path / name).write_bytes(whole[: int(0.6 * len(whole))])
        with pytest.raises(InputError, match=rf"{name}: .*truncated"):
            ingest(tmp_path / "store", tmp_path, [name], clip_seconds=3.0, exact=exact)


def test_damaged_bits_of_a_flac_are_noticed(tmp_path):
    flac = bytearray(encoded(LONG, RATE, "FLAC", "PCM_24"))
    flac[len(flac) // 2] ^= 16
    refused(tmp_path, bytes(flac), r"damaged or truncated \(.*flac decoder")


@pytest.mark.parametrize("size", [0xFFFF_FFFF, 0xFFFF_FFE0, 0x7FFF_F000, 0x7FFF_FFFF, 0x8000_0000])
def test_a_size_that_stands_for_unknown_in_a_wav_is_no_size(tmp_path, size):
    content = riff(fmt_chunk(1, RATE, 16, 2) + chunk(b"data", SIXTEEN, size), size)
    np.testing.assert_allclose(decoded(tmp_path, content), TONE, atol=2.0**-15)


@pytest.mark.parametrize(
    "content",
    [
        # sox makes its size a multiple of the block align
        riff(fmt_chunk(2, RATE, 24, 6) + chunk(b"data", pcm_bytes(STEREO, 24), 0x7FFF_EFFC)),
        with_streaminfo(encoded(TONE, RATE, "FLAC", "PCM_16"), samples=0),
        with_streaminfo(encoded(STEREO, RATE, "FLAC", "PCM_24"), samples=0),
        b".snd" + struct.pack(">5I", 24, 2**32 - 1, 6, RATE, 1) + TONE.astype(">f4").tobytes(),
    ],
    ids=["sox", "FLAC", "stereo FLAC", "AU"],
)
def test_a_size_that_stands_for_unknown_is_no_size(tmp_path, content):
    np.testing.assert_allclose(decoded(tmp_path, content)[:, :1], TONE, atol=2.0**-15)


@pytest.mark.parametrize("size", [6_402, 20_000, 1 << 24, 1 << 30, 0x7FFE_0000, 0x9000_0000])
def test_any_other_size_is_one(tmp_path, size):
    content = riff(fmt_chunk(1, RATE, 16, 2) + chunk(b"data", SIXTEEN, size))
    refused(tmp_path, content, f"truncated; expected {size} bytes of samples; received 6400")


@pytest.mark.parametrize("riff_bytes", [0, 8, 36, 0xFFFF_FFFF])
def test_a_header_that_was_never_finished_is_said(tmp_path, riff_bytes):
    content = riff(fmt_chunk(1, RATE, 16, 2) + chunk(b"data", SIXTEEN, 0), riff_bytes)
    refused(tmp_path, content, "header was never finished; .* 0, with 6,400 bytes after it")


@pytest.mark.parametrize("container", sorted(CONTAINERS.keys() - {"FLAC", "MP3"}))
def test_no_samples_are_refused_in_one_line(tmp_path, container):
    content = encoded(TONE[:0], RATE, container, CONTAINERS[container])
    refused(tmp_path, content, "no samples|cannot be decoded|truncated")


def test_a_flac_without_frames_is_refused(tmp_path):
    flac = with_streaminfo(encoded(TONE, RATE, "FLAC"), samples=0)
    frames = flac.index(b"\xff\xf8")
    refused(tmp_path, flac[:frames], "no samples|decoded")


def test_a_chunk_behind_no_samples_is_not_taken_for_them(tmp_path):
    nothing = fmt_chunk(1, RATE, 16, 2) + chunk(b"data", b"")
    refused(tmp_path, riff(nothing), "has no samples")
    refused(tmp_path, riff(nothing + chunk(b"LIST", bytes(100))), "has no samples")


def test_the_byte_that_fills_a_chunk_up_is_no_sample(tmp_path):
    odd = wav(1, 8, 1, pcm_bytes(TONE[:101], 8))
    assert len(odd) % 2 == 0 and len(decoded(tmp_path, odd)) == 101


def test_two_data_chunks_are_not_chosen_from(tmp_path):
    one, other = chunk(b"data", SIXTEEN), chunk(b"data", SIXTEEN[:100])
    refused(tmp_path, riff(fmt_chunk(1, RATE, 16, 2) + one + other), "contradicts|decoded")


@pytest.mark.parametrize(("said", "held"), [(3_200, 3_000), (2**32 - 1, 3_200)])
def test_an_aiff_that_counts_other_samples_than_it_holds_is_refused(tmp_path, said, held):
    aiff = encoded(TONE[:held], RATE, "AIFF", "PCM_16")
    count = aiff.index(b"COMM") + 10
    content = aiff[:count] + struct.pack(">I", said) + aiff[count + 4 :]
    refused(tmp_path, content, f"contradicts itself; expected {said:,} samples; received {held:,}")


@pytest.mark.parametrize("size", [0x8000_0000, 1 << 20, 0xFFFF_FFFF])
def test_a_file_beyond_what_its_header_can_say_is_refused(tmp_path, size):
    """Otherwise only its first part would be read."""
    path = tmp_path / "day.wav"
    path.write_bytes(riff(fmt_chunk(2, 48_000, 16, 4) + chunk(b"data", b"", size)))
    with path.open("rb+") as stream:
        stream.truncate(size + (1 << 27))  # a hole
    with pytest.raises(InputError, match="longer than its header says"), open_audio(path):
        pass


def test_eight_channels_and_an_mp3_by_another_name_are_read(tmp_path):
    eight = np.repeat(TONE, 8, axis=1) / np.arange(1, 9)
    np.testing.assert_allclose(decoded(tmp_path, wav_bytes(eight, RATE, 24)), eight, atol=1e-6)
    (tmp_path / "clip.wav").write_bytes(encoded(LONG, RATE, "MP3"))
    samples, rate = read_audio(tmp_path / "clip.wav")
    assert rate == RATE and len(samples) == len(LONG)
    assert np.abs(samples - LONG)[1_000:-1_000].max() < 0.02


def test_millions_of_chunks_are_not_walked_through(tmp_path):
    content = riff(
        (b"aaaa" + bytes(4)) * 2_000 + fmt_chunk(1, RATE, 16, 2) + chunk(b"data", SIXTEEN)
    )
    refused(tmp_path, content, "is truncated before its samples")
