"""The most used commands under one name.

    dcase classify model.tflite recording.wav
    dcase COMMAND --help

Each is a module as well: `dcase classify` is the same as
`python -m dcase_system.edge.classify`.
"""

import runpy
import sys

COMMANDS = {
    "classify": ("dcase_system.edge.classify", "classify recordings or a stream"),
    "complexity": ("dcase_system.complexity", "count parameters, bytes and MACs"),
    "continuous": (
        "dcase_system.edge.continuous",
        "count missed events and false alarms on long recordings",
    ),
    "doctor": ("dcase_system.doctor", "show what is installed and what does not work"),
    "export": ("dcase_system.edge.export", "write the .tflite files of a trained network"),
    "ingest": ("dcase_system.audio.ingest", "decode a corpus before training"),
    "latency": ("dcase_system.edge.latency", "time .tflite files on this machine"),
    "report": ("dcase_system.reporting", "write the report of a run, or compare runs"),
    "validate": ("dcase_system.submission.validate", "check a submission package"),
}
"""Module and purpose of each command."""


def main() -> None:
    """Runs the module of a command, or prints the list of commands."""
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in COMMANDS:
        sys.argv = [f"dcase {name}", *sys.argv[2:]]
        runpy.run_module(COMMANDS[name][0], run_name="__main__", alter_sys=True)
    elif name in ("-h", "--help", "help"):
        print(_page())
    else:
        known = ", ".join(COMMANDS)
        sys.exit(f"error: dcase: no such command; expected {known}; received {name}")


def _page() -> str:
    lines = [f"  dcase {name:<11} {purpose}" for name, (_, purpose) in COMMANDS.items()]
    return "\n".join([*(__doc__ or "").strip().splitlines(), "", *lines])


if __name__ == "__main__":
    main()
