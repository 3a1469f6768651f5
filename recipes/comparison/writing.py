"""Files of tables and numbers."""

import csv
import pathlib

from rich.console import Console

from comparison.csv import costs_rows
from comparison.csv import metrics_rows
from comparison.csv import tuning_rows
from comparison.tables import NOTE
from keras_s4t.files import atomic_path


def write_tables(tables, output, note=NOTE):
    """Prints tables and writes them to `tables.md`.

    Args:
        tables: list of `Table`. Those without rows are left out.
        output: Folder to write to.
        note: string. What stands below the tables.
    """
    tables = [table for table in tables if table.rows]
    console = Console()
    for table in tables:
        console.print(table.rich())
        console.print()
    console.print(note)
    with atomic_path(pathlib.Path(output, "tables.md")) as path:
        texts = [table.markdown() for table in tables]
        path.write_text("\n".join([*texts, note]))


def write_numbers(summary, output):
    """Writes `metrics.csv`, `costs.csv` and `tuning.csv` with all digits.

    Args:
        summary: `Summary`.
        output: Folder to write to.
    """
    for name, make_rows in (
        ("metrics", metrics_rows),
        ("costs", costs_rows),
        ("tuning", tuning_rows),
    ):
        write_csv(pathlib.Path(output, f"{name}.csv"), make_rows(summary))


def write_csv(path, rows):
    """Writes dicts as CSV; nothing if there are none."""
    rows = list(rows)
    if not rows:
        return
    names = dict.fromkeys(name for row in rows for name in row)
    with atomic_path(path) as unfinished:
        with open(unfinished, "w", newline="") as file:
            writer = csv.DictWriter(file, list(names))
            writer.writeheader()
            writer.writerows(rows)
