"""The filter bank: published centres and counts, its definition, and kymatio."""

import numpy as np
import pytest

from dcase_system.audio.wavelets import filter_bank, wavelet_parameters


@pytest.fixture(scope="module")
def bank():
    return filter_bank(2_048, 10, 16)


@pytest.mark.parametrize(("octaves", "wavelets"), [(7, 79), (8, 95), (10, 127)])
def test_number_of_wavelets(octaves, wavelets):
    assert len(wavelet_parameters(octaves, 16)[0]) == wavelets


def test_centres_at_48_khz():
    centres, deviations = wavelet_parameters(10, 16)
    hertz = 48_000 * np.sort(centres)
    np.testing.assert_allclose(hertz[[0, 1, 4]], [11.4, 22.9, 57.2], atol=0.05)
    np.testing.assert_allclose(hertz[-3:], [20_580, 21_491, 22_443], atol=0.6)
    # 112 at a constant ratio, then 15 at equal distances and of one width
    np.testing.assert_allclose(centres[1:112] / centres[:111], 2 ** (-1 / 16))
    np.testing.assert_allclose(np.diff(centres[111:]), -centres[111] / 16)
    assert len(set(deviations[112:])) == 1


def test_rows_rise_and_have_unit_norm(bank):
    assert bank.shape == (128, 2_048)
    assert (np.diff(bank[:, :1_025].argmax(axis=1)) >= 0).all()
    assert bank[1:4, :1_025].argmax(axis=1).tolist() == [1, 1, 1]  # 23.4 Hz, all three
    norms = np.abs(np.fft.ifft(bank, axis=1)).sum(axis=1)
    np.testing.assert_allclose(norms, 1.0)
    np.testing.assert_allclose(bank[1:, 0], 0.0, atol=1e-12)  # a wavelet has no mean


def test_values_of_the_published_bank(bank):
    """Taken from kymatio 0.3.0."""
    sums = bank[[0, 1, 50, 127], :1_025].sum(axis=1)
    np.testing.assert_allclose(sums, [1.000003726653, 1.0, 2.223022900889, 62.213224785459])
    peaks = bank[[0, 20, 60, 100], [1, 9, 53, 297]]
    expected = [3.7266531720787e-06, 0.9998106364167, 0.9480191469205, 0.9993179821070]
    np.testing.assert_allclose(peaks, expected)


@pytest.mark.parametrize(("points", "octaves", "quality"), [(2_048, 10, 16), (512, 6, 1)])
def test_kymatio_has_the_same(points, octaves, quality):
    filters = pytest.importorskip("kymatio.scattering1d.filter_bank")
    low_pass, wavelets, _ = filters.scattering_filter_factory(
        points, octaves, (quality, 1), 2**octaves
    )
    rows = [low_pass["levels"][0], *(one["levels"][0] for one in wavelets[::-1])]
    np.testing.assert_allclose(filter_bank(points, octaves, quality), rows, atol=1e-6)
