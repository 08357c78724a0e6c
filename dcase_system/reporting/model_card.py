"""The card of an exported network, for those who are given its files.

After Mitchell et al., "Model Cards for Model Reporting" (2019).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from dcase_system.core.files import write_text
from dcase_system.reporting.content import Document, Table
from dcase_system.reporting.documents import read_document
from dcase_system.reporting.run_files import read_run
from dcase_system.reporting.run_page import forms_table, part_table
from dcase_system.reporting.tables import as_markdown, escaped

MODEL_CARD = "model_card.md"
_LIMITS = (
    "It names the most probable of its classes for any sound, silence and speech among them: "
    "there is no class for what it does not know.",
    "Probabilities made of its logits are not calibrated; compare them with each other, not with a "
    "risk.",
    "Accuracy falls on microphones that the training has not heard: see the device groups.",
    "Clips of one recording resemble each other; the intervals draw whole recordings anew.",
)


def write_model_card(folder: Path, edge: str = "edge/", warnings: Sequence[str] = ()) -> Path:
    """Writes `model_card.md`: of a run, with its scores; of files alone, without.

    Args:
        folder: a run directory, or one with exported files.
        edge: where in it the exported files are.
        warnings: what to mind about the clips that it was trained and scored on, a line each.

    Returns:
        Where it was written.
    """
    path = folder / MODEL_CARD
    cards = [
        read_document(folder, f"{edge}{found.name}")
        for found in sorted((folder / edge).glob("student_*.json"))
    ]
    write_text(path, "\n".join(_lines(folder, cards, warnings)))
    return path


def _lines(folder: Path, cards: Sequence[Document], warnings: Sequence[str]) -> Iterator[str]:
    run = read_run(folder)
    contract = cards[0] if cards else Document("")
    labels = contract.texts("contract", "labels")
    rate = contract.number("contract", "front_end", "sample_rate", spec=",")
    samples = contract.number("contract", "samples")
    channels = contract.get("contract", "channels")
    yield f"# Model card: {escaped(folder.resolve().name)}\n"
    yield "A classifier of short recordings for small devices.\n"
    yield "## What it takes and gives\n"
    if rate and rate.value and samples:
        yield (
            f"Takes windows of {samples.value / rate.value:g} s at {rate} samples a second, "
            f"{channels} channel{'s' if channels != 1 else ''}. Gives a logit for each of:\n"
        )
    yield f"{escaped(', '.join(labels)) or 'no classes are known'}.\n"
    yield from _way_to_probabilities(cards)
    yield "## Files\n"
    yield as_markdown(_files(cards))
    yield "Each file carries what it needs to know; `python -m dcase_system.edge.classify FILE"
    yield "CLIP...` runs it.\n"
    yield "## How well it does\n"
    if run.scores.names("forms"):
        yield "On the dev-test clips, scored once; no choice was made by them.\n"
        for table in (forms_table(run), part_table(run, "device_group"), part_table(run, "scene")):
            if table.rows:  # of a searched network there are no device groups
                yield as_markdown(table)
    else:
        yield "Not measured with these files.\n"
    yield "## What to mind\n"
    yield from (f"- {limit}" for limit in _LIMITS)
    yield from (f"- {escaped(warning)}." for warning in warnings)
    yield "\n## How it was trained\n"
    settings = run.config.names("settings")
    if settings:
        split, seed = (run.config.get("settings", *at) for at in (("split",), ("plan", "seed")))
        architecture = run.config.get("settings", "plan", "architecture")
        taught = "with teachers" if run.config.get("settings", "teachers") else "on labels alone"
        commit = run.config.get("code", "commit") or "unknown"
        yield f"{escaped(str(architecture))}, split{split}, {taught}, seed {seed}; commit {commit}."
        yield "`config.json` has the rest.\n"
    else:
        yield "See the run that these files were exported from.\n"


def _way_to_probabilities(cards: Sequence[Document]) -> Iterator[str]:
    meaning = next((text for card in cards if (text := card.get("output", "meaning"))), None)
    if meaning is None:
        return
    yield f"The output holds {escaped(str(meaning))}. The SavedModel gives the same.\n"
    if any(card.number("output", "scale") for card in cards):
        yield (
            "Where an output is quantised, a logit is scale * (stored value - zero point), by the "
            "numbers in the table.\n"
        )


def _gives(card: Document) -> str | None:
    """Type of a file's output and, if that is quantised, what makes logits of it."""
    kind = card.get("output", "type")
    # As many digits as tell two single-precision numbers apart.
    scale = card.number("output", "scale", spec=".9g")
    if scale is None:
        return kind and str(kind)
    return f"{kind}, scale {scale}, zero point {card.number('output', 'zero_point', spec='.0f')}"


def _files(cards: Sequence[Document]) -> Table:
    return Table(
        "files",
        "Exported files",
        ("file", "numbers", "takes", "gives", "quantised", "bytes", "SHA-256"),
        [
            (
                str(card.get("file")),
                str(card.get("format")),
                str(card.get("takes")),
                _gives(card),
                card.get("quantised") and str(card.get("quantised")),
                card.number("bytes", spec=","),
                str(card.get("sha256")),
            )
            for card in cards
        ],
    )
