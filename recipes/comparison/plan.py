"""What a comparison consists of, and under which key each result is kept."""

import dataclasses

from shared.reporting import CONTROL

from comparison.contenders import PLAIN
from comparison.contenders import SOURCE_ONLY
from comparison.contenders import Row
from comparison.results import signature


@dataclasses.dataclass(frozen=True)
class Unit:
    """One adaptation: a method, on a network, to a target.

    Attributes:
        seed: int.
        owner: The `Row` whose network it is.
        row: The `Row` of the method.
        target: Name of a dataset.
        key: What the results call it.
        start_key: The unit that measures step 0 of this network and target.
    """

    seed: int
    owner: Row
    row: Row
    target: str
    key: str
    start_key: str

    @property
    def adapter(self):
        """Units of which this is the same are done by the same adapter."""
        return self.seed, self.owner, self.row


class Plan:
    """All methods on all targets over all seeds.

    Every network has its own `BatchNormOnly`, which the methods that adapt
    this network are compared with.

    Args:
        rows: list of `Row`, from `make_rows`.
        settings: `Settings`.

    Attributes:
        choices: dict from the name of a row to the `"learning_rate"` that was
            chosen, `None` for the method's own, and the fixed `"step"`.
    """

    def __init__(self, rows, settings):
        self.rows = {row.name: row for row in rows}
        self.settings = settings
        self.choices = {
            name: {"learning_rate": None, "step": settings.steps}
            for name in self.rows
        }

    def pairs(self):
        """Pairs of the row that owns a network and a row that adapts it."""
        rows = self.rows.values()
        pairs = [(row, row) for row in rows if row.network == PLAIN]
        for row in rows:
            if row.network != PLAIN:
                pairs += [(row, self.rows[CONTROL]), (row, row)]
        return pairs

    def units(self):
        """All units, in order; those of the same adapter in a row."""
        units = []
        for seed in self.settings.seeds:
            for owner, row in self.pairs():
                first = owner, self.rows[CONTROL]
                if owner.network == PLAIN:
                    first = self.rows[SOURCE_ONLY], self.rows[SOURCE_ONLY]
                for target in self.settings.targets:
                    key = self.key(seed, owner, row, target)
                    start_key = self.key(seed, *first, target)
                    units.append(Unit(seed, owner, row, target, key, start_key))
        return units

    def key(self, seed, owner, row, target):
        """The key of one adaptation."""
        settings = self.settings
        return settings.adaptation_key(
            settings.source_key(seed, owner),
            row,
            self.choices[row.name]["learning_rate"],
            (target, settings.split, settings.num_target),
        )

    def tuning_key(self, row):
        """The key of the choices for a row."""
        settings = self.settings
        data = (settings.factors, settings.severities, settings.num_tuning)
        source_key = settings.source_key(settings.seeds[0], row)
        return settings.adaptation_key(source_key, row, None, data)

    def costs_key(self, row):
        """The key of the costs of a row."""
        seed, target = self.settings.seeds[0], self.settings.targets[0]
        key = self.key(seed, row, row, target)
        return signature(key, self.settings.timing_steps)

    def is_timed(self, unit):
        """Whether the adapter of a unit is the one to be timed."""
        return unit.row is unit.owner and unit.seed == self.settings.seeds[0]
