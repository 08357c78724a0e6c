"""Reports on runs: rewrites a report, compares runs, exports tables and figures.

    python -m dcase_system.reporting RUN                   # rewrite its report
    python -m dcase_system.reporting RUN --output_dir=DIR  # tables, figures
    python -m dcase_system.reporting RUN RUN...            # side by side

For one run, finished or interrupted, the report shows what is available. For several, it prints
accuracies and costs side by side, with paired 95 % intervals for the difference of each to the
first; --output_dir writes this as a page as well. Tables are exported as LaTeX, Markdown and CSV,
figures as PDF and SVG.
"""

from collections.abc import Sequence
from pathlib import Path

from absl import app, flags

from dcase_system.core import cli

_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "FOLDER: Output folder for tables, figures and comparison page."
)


def main(argv: Sequence[str]) -> None:
    runs = [Path(name) for name in argv[1:]]
    if not runs:
        raise app.UsageError("expected run directories")
    # These import pandas, scikit-learn and matplotlib.
    from dcase_system.reporting.export_assets import write_material
    from dcase_system.reporting.html import REPORT, write_page
    from dcase_system.reporting.report import page_of

    output_dir = Path(_OUTPUT_DIR.value) if _OUTPUT_DIR.value else None
    if len(runs) == 1:
        page = page_of(runs[0])
        write_page(runs[0] / REPORT, page)
        print(f"report: {runs[0] / REPORT}")
        if output_dir:
            write_material(output_dir, page)
    else:
        _compare(runs, output_dir)
    if output_dir:
        print(f"tables and figures: {output_dir}")


def _compare(runs: Sequence[Path], output_dir: Path | None) -> None:
    from dcase_system.reporting.comparison import compare, write_comparison
    from dcase_system.reporting.comparison_page import comparison_page
    from dcase_system.reporting.content import Note, Table
    from dcase_system.reporting.export_assets import write_material
    from dcase_system.reporting.html import REPORT
    from dcase_system.reporting.tables import as_text, note_text

    page = write_comparison(runs, output_dir) if output_dir else comparison_page(compare(runs))
    for section in page.sections:
        for block in section.blocks:
            if isinstance(block, Table | Note):
                print(as_text(block) if isinstance(block, Table) else note_text(block))
                print()
    if output_dir:
        write_material(output_dir, page)
        print(f"report: {output_dir / REPORT}")


if __name__ == "__main__":
    cli.run(main, takes_arguments=True)
