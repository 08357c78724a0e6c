"""Reports of runs: pages, tables, figures, model cards, terminal summaries."""
