"""Recipes as a user calls them, at toy scale."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOY = ["--epochs=1", "--batch_size=16"]


def command(module: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", module, *map(str, arguments)]


def run(module: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(module, *arguments), cwd=ROOT, capture_output=True, text=True)


def on_tiny(place: Path) -> list[str]:
    """Flags for the tiny corpus of the `place` fixture."""
    demo = place / "demo"
    return [
        f"--data_dir={demo / 'development'}",
        f"--evaluation_dir={demo / 'evaluation'}",
        f"--cache_dir={place / 'cache'}",
        "--tflite_formats=float16",  # the other conversions have tests of their own
        *TOY,
    ]
