"""Fuzzing guided by coverage (atheris): inputs that reach new code are kept and varied further.

    pip install -r requirements-fuzz.txt
    python -m tests.robustness.guided --inputs=10000 --seconds=180 [--kinds="meta YAML"] [--seed=0]

The kinds, the readers and what counts as a fault are those of `tests.robustness.fuzz`; half of the
changes are drawn as there, the others are libFuzzer's. What is instrumented is the package and the
YAML parser; native code is not. Prints a table with the places in the code that the valid files
reach, and that are reached in the end. Exits with 1 if there is a fault, which ends its kind, and
leaves the input in `--output_dir`.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.commands import ROOT

_MEMORY_MIB, _LONGEST_BYTES, _PATIENCE_SECONDS = 12_000, 1 << 20, 60
_INPUTS, _PLACES = re.compile(r"stat::number_of_executed_units: (\d+)"), re.compile(r"cov: (\d+)")


def read_for_ever(name: str, arguments: Sequence[str], report: str) -> None:
    """Reads inputs of a kind in this process, until libFuzzer ends it; a fault goes into a file."""
    import atheris

    # Whatever is imported in here is instrumented; nothing of the package may be imported before.
    with atheris.instrument_imports(include=["dcase_system", "yaml"], enable_loader_override=False):
        import numpy as np

        from tests.robustness.fuzz import ALL, FAULTY
        from tests.robustness.watched import LIMIT_SECONDS, READ, REFUSED, Watched

        kind, box = ALL.get(name, FAULTY), Path(tempfile.mkdtemp())
        watched = Watched(kind, box)
        for content in watched.seeds:  # some modules are imported by reading
            watched.outcome(content)
    corpus = box / "corpus"
    corpus.mkdir()
    for index, content in enumerate(watched.seeds):
        (corpus / str(index)).write_bytes(content)

    def read(content: bytes) -> None:
        started = time.process_time()
        outcome = watched.outcome(content)
        seconds = time.process_time() - started
        if outcome not in (READ, REFUSED) or seconds > LIMIT_SECONDS:
            fault = f"{outcome} in {seconds:.1f} s"
            Path(report).write_text(fault, encoding="utf-8", errors="backslashreplace")
            raise AssertionError(fault)

    def vary(content: bytes, longest: int, seed: int) -> bytes:
        generator = np.random.default_rng(seed)
        if generator.random() < 0.5:
            try:
                return kind.draw([content], generator)[:longest]
            # It is what was varied before: no longer a zip, or JSON, or anything at all.
            except Exception:  # noqa: BLE001
                pass
        return atheris.Mutate(content, longest)

    atheris.Setup([sys.argv[0], str(corpus), *arguments], read, custom_mutator=vary)
    atheris.Fuzz()


def main() -> int:
    from tests.robustness.fuzz import ALL

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000, help="of each kind, at most")
    parser.add_argument("--seconds", type=int, default=180, help="for each kind, at most")
    parser.add_argument("--kinds", help=f"comma-separated, of: {', '.join(ALL)}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output_dir", type=Path, default=Path("faults"))
    options = parser.parse_args()
    options.output_dir.mkdir(parents=True, exist_ok=True)
    faulty = False
    columns = ("kind", "inputs", "places of valid files", "reached", "faults", "seconds")
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for name in options.kinds.split(",") if options.kinds else list(ALL):
        started = time.monotonic()
        given = [
            f"-runs={options.inputs}",
            f"-max_total_time={options.seconds}",
            f"-seed={options.seed + 1}",  # 0 is drawn by the clock
            f"-rss_limit_mb={_MEMORY_MIB}",
            f"-max_len={_LONGEST_BYTES}",
            f"-timeout={_PATIENCE_SECONDS}",
            f"-artifact_prefix={options.output_dir.resolve()}/{name.replace(' ', '_')}-",
            *("-len_control=0", "-print_final_stats=1", "-close_fd_mask=3"),
        ]
        module = "from tests.robustness.guided import read_for_ever"
        report = options.output_dir.resolve() / f"{name.replace(' ', '_')}.txt"
        report.unlink(missing_ok=True)
        call = f"{module}; read_for_ever({name!r}, {given!r}, {str(report)!r})"
        done = subprocess.run(
            [sys.executable, "-c", call], cwd=ROOT, capture_output=True, text=True, errors="replace"
        )
        said, seconds = done.stderr, time.monotonic() - started
        inputs, places = _INPUTS.search(said), _PLACES.findall(said)
        faults = int(done.returncode != 0)
        cells = (name, inputs[1] if inputs else "?", *(places[:1] + places[-1:] or "??"))
        print(f"| {' | '.join(cells)} | {faults} | {seconds:.0f} |", flush=True)
        if faults:
            ended = " / ".join(said.splitlines()[-3:])  # by a crash
            found = report.read_text(encoding="utf-8") if report.exists() else ended
            print(f"  {name}: {' '.join(found.split())}", file=sys.stderr)
            faulty = True
    return int(faulty)


if __name__ == "__main__":
    sys.exit(main())
