"""The device-specific networks of a student's run, beside the general network."""

from collections.abc import Iterator

from dcase_system.reporting.content import Block, Cell, Note, Table
from dcase_system.reporting.documents import missing
from dcase_system.reporting.json_tables import limits
from dcase_system.reporting.run_files import Run

_WORDS = {True: "complies", False: "OVER", None: None}
_HOW_TO_READ = (
    "Each device's clips are classified by the general network and by the copy of it that was "
    "fine-tuned on the device's training clips; devices without a copy keep the general network. "
    "Accuracies are means over the clips of a device or group; the accuracy over all clips is the "
    "mean over the classes. The 95 % intervals of the differences are paired: both are scored on "
    "the same resampled recordings. If an interval includes zero, other recordings could show no "
    "difference."
)


def device_networks(run: Run) -> Iterator[Block | None]:
    """Yields the comparison with the general network and the costs of each network."""
    if not run.devices.names("differences"):
        yield missing(run.devices, "scores of the device-specific networks")
        return
    yield Note(_HOW_TO_READ)
    yield device_networks_table(run)
    yield _costs(run)


def device_networks_table(run: Run) -> Table:
    """Builds the table of general against device-specific accuracy, for all, groups and devices."""
    places: list[tuple[str, tuple[str, ...]]] = [("all devices", ("overall",))]
    for part in ("group_wise", "device_wise"):
        places += [(name, (part, name)) for name in run.devices.names("general", part)]
    return Table(
        "device_networks",
        "General network against device-specific networks, accuracy in percent",
        ("device", "network", "general", "specific", "difference", "from", "to", "clips"),
        [_row(run, name, place) for name, place in places],
    )


def _row(run: Run, name: str, place: tuple[str, ...]) -> tuple[Cell, ...]:
    scores, network = run.devices, None
    if place[0] == "device_wise":
        network = "own" if name in scores.texts("own_networks") else "general"
    accuracies = (
        scores.number(kind, *place, "accuracy") for kind in ("general", "device_specific")
    )
    differences = (
        scores.number("differences", *place, key, spec="+.1f")
        for key in ("difference", "low", "high")
    )
    clips = scores.number("general", *place, "clips", spec=",")
    return (name, network, *accuracies, *differences, clips)


def _costs(run: Run) -> Table | Note:
    """Builds the table of each network's values and limits of 2025, or says what is missing."""
    document = run.device_costs
    places: list[tuple[str, tuple[str, ...]]] = [("general", ("general",))]
    places += [(name, ("devices", name)) for name in document.names("devices")]
    rows = [
        (f"{name}: {rule.name}", rule.value, rule.limit, _WORDS[rule.complies])
        for name, place in places
        for rule in limits(document, *place, "rules")
    ]
    if not rows:
        return missing(document, "complexity of the device-specific networks")
    title = "Limits of 2025 Task 1, for each network alone"
    return Table("device_limits", title, ("rule", "value", "limit", "verdict"), rows)
