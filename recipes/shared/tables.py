"""Tables of strings, for the terminal and in Markdown."""

import dataclasses

from shared.reporting import make_table


@dataclasses.dataclass
class Table:
    """A table of strings; a line break in a cell is one in the terminal.

    Attributes:
        title: Heading.
        headers: list of strings.
        rows: list of lists of strings, the first of each being a name.
    """

    title: str
    headers: list
    rows: list

    def rich(self):
        """As a `rich.table.Table`."""
        table = make_table(self.title, self.headers)
        for row in self.rows:
            table.add_row(*row)
        return table

    def markdown(self):
        """As Markdown."""
        rules = ["---"] + ["--:"] * (len(self.headers) - 1)
        lines = [self.headers, rules, *self.rows]
        rows = ["| " + " | ".join(line) + " |" for line in lines]
        text = "\n".join(
            row.replace("-\n", "").replace("\n", " ") for row in rows
        )
        return f"### {self.title}\n\n{text}\n"


def metric_cell(value):
    """A metric's mean and standard deviation over seeds."""
    # No more than six characters, unless it diverged.
    mean = f"{value.mean:{'.4f' if abs(value.mean) < 1 else '#.4g'}}"
    return mean if value.std is None else f"{mean}\n±{value.std:.2g}"


def gain_cell(value):
    """A gain's mean and standard deviation, with its sign."""
    mean = f"{value.mean:+.2f}"
    return mean if value.std is None else f"{mean}\n±{value.std:.2f}"


def interval_cell(value):
    """A difference's mean and confidence interval; empty for `None`."""
    if value is None:
        return ""
    mean = f"{value.mean:+.2f}"
    if value.half_width is None:
        return mean
    return f"{mean}\n±{value.half_width:.2f}"


def number_cell(value, form, scale=1):
    """A number in the given format; empty for `None`."""
    return "" if value is None else format(scale * value, form)
