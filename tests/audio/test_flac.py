"""Remainders of FLAC frames against the definition, a bit at a time."""

from hypothesis import given
from hypothesis import strategies as st

from dcase_system.audio.flac import _frame_crc


def by_bits(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ (0x8005 if value & 0x8000 else 0)) & 0xFFFF
    return value


@given(st.binary(max_size=200))
def test_the_remainder_of_a_frame_is_that_of_its_bits(data):
    assert _frame_crc(data) == by_bits(data)
