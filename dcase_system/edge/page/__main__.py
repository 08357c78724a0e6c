"""Writes a page that runs a model in the browser.

    python -m dcase_system.edge.page MODEL --output_dir=DIR [--serve]

MODEL is a `student_..._waveform.tflite` of an export. DIR receives a single self-contained file,
`index.html`: open it, and drop a sound file on it or start the microphone. --serve serves it until
Ctrl-C, for browsers that do not allow local files to use a microphone.
"""

from collections.abc import Sequence
from pathlib import Path

from absl import app, flags

from dcase_system.core import cli
from dcase_system.edge.page.serve import PageServer


def main(argv: Sequence[str]) -> None:
    options = flags.FLAGS
    if len(argv) != 2:
        raise app.UsageError("expected one .tflite file")
    from dcase_system.edge.page.write import write_page  # imports TensorFlow

    page = write_page(Path(argv[1]), Path(options.output_dir))
    print(f"{page.stat().st_size:>9,} bytes  {page}")
    if options.serve:
        serve(page, options.port)


def serve(page: Path, port: int) -> None:
    """Serves a page until Ctrl-C."""
    with PageServer(page, port) as server:
        print(f"{server.address}  (Ctrl-C ends it)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


# Flags are global to a process: defined on import, they would collide with those of a recipe.
def _define_flags() -> None:
    flags.DEFINE_string("output_dir", None, "FOLDER: Output folder for index.html.", required=True)
    flags.DEFINE_bool("serve", False, "Serve the page on this machine until Ctrl-C.")
    flags.DEFINE_integer("port", 8000, "PORT: Port for --serve; 0 picks a free one.")


if __name__ == "__main__":
    _define_flags()
    cli.run(main, takes_arguments=True)
