"""The recipe that shows zeros beside a smaller network."""

import json

import pytest

from dcase_system.complexity.rules import MAX_BYTES_2024, MAX_MACS_2024
from tests import small
from tests.commands import FLOAT16, TOY, run, tiny_clips, too_wide
from tests.reporting.tracing import traced


@pytest.mark.slow
def test_zeros_are_shown_beside_what_the_rules_count(place):
    out = place / "magnitude"
    done = run(
        "recipes.magnitude",
        *tiny_clips(place),
        *TOY,
        FLOAT16,
        "--split=5",
        "--variants=zeros-2:4",
        f"--output_dir={out}",
    )
    assert done.returncode == 0, done.stderr
    assert too_wide(done) == []
    reached, sizes = (
        line.split() for line in done.stdout.splitlines() if line.startswith("zeros-2of4")
    )
    costs = small.costs("sscp_mobile_64")
    assert f"{costs.macs / 1e6:.4g}" in reached
    _, zeros, counted, nonzero, zipped, *limits = sizes
    assert float(zeros) == pytest.approx(50, abs=0.2)
    all_bytes = 2 * costs.params
    assert counted == f"{all_bytes:,}"  # zeros are counted too
    assert int(nonzero.replace(",", "")) < 0.6 * all_bytes
    assert int(zipped.replace(",", "")) < 0.75 * all_bytes
    within = all_bytes <= MAX_BYTES_2024, costs.macs <= MAX_MACS_2024
    assert limits == ["complies" if one else "OVER" for one in within]
    sparsity = json.loads((out / "zeros-2of4" / "sparsity.json").read_text())
    assert set(sparsity["files"]) == {"float16"}
    assert traced((out / "report.html").read_text(), out) > 10


def test_an_unknown_variant_is_refused(place):
    done = run("recipes.magnitude", *tiny_clips(place), "--variants=zeros")
    assert done.returncode == 1
    assert "unknown variant; expected wide, zeros-agp" in done.stderr.splitlines()[-1]
