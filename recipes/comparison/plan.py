"""What a comparison consists of, and the key of each result."""

import dataclasses

from shared.reporting import CONTROL

from comparison.contenders import PLAIN
from comparison.contenders import SOURCE_ONLY
from comparison.contenders import Contender
from comparison.keys import signature


@dataclasses.dataclass(frozen=True)
class Run:
    """One adaptation: a contender, on a network, to a target.

    Attributes:
        seed: int.
        owner: The `Contender` whose network it is.
        contender: The `Contender` that adapts.
        target: Name of a dataset.
        key: Its key in the results.
        start_key: Key of the run that measures step 0 of this network and
            target.
    """

    seed: int
    owner: Contender
    contender: Contender
    target: str
    key: str
    start_key: str

    @property
    def adapter(self):
        """Runs of which this is the same share an adapter."""
        return self.seed, self.owner, self.contender


class Plan:
    """All contenders on all targets over all seeds.

    Every network has its own `BatchNormOnly`, which the methods that adapt
    this network are compared with.

    Args:
        contenders: list of `Contender`, from `make_contenders`.
        settings: `Settings`.
        keys: `Keys`.

    Attributes:
        choices: dict from the name of a contender to the `"learning_rate"`
            that was chosen, `None` for the method's own, and the fixed
            `"step"`.
    """

    def __init__(self, contenders, settings, keys):
        self.contenders = {c.name: c for c in contenders}
        self.settings = settings
        self.keys = keys
        self.choices = {
            name: {"learning_rate": None, "step": settings.steps}
            for name in self.contenders
        }

    def pairs(self):
        """Pairs of the owner of a network and a contender that adapts it."""
        contenders = self.contenders.values()
        pairs = [(c, c) for c in contenders if c.network == PLAIN]
        for contender in contenders:
            if contender.network != PLAIN:
                pairs += [
                    (contender, self.contenders[CONTROL]),
                    (contender, contender),
                ]
        return pairs

    def runs(self):
        """All runs, in order; those of the same adapter in a row."""
        runs = []
        for seed in self.settings.seeds:
            for owner, contender in self.pairs():
                first = owner, self.contenders[CONTROL]
                if owner.network == PLAIN:
                    first = (self.contenders[SOURCE_ONLY],) * 2
                stages = self.settings.stages
                for i, target in enumerate(stages):
                    before = stages[:i] if self.settings.persists else ()
                    key = self.key(seed, owner, contender, target, before)
                    start_key = self.key(seed, *first, target, before)
                    runs.append(
                        Run(seed, owner, contender, target, key, start_key)
                    )
        return runs

    def key(self, seed, owner, contender, target, before=()):
        """The key of one run, and of what its adapter saw `before`."""
        learning_rate = self.choices[contender.name]["learning_rate"]
        return self.keys.run(
            seed, owner, contender, learning_rate, target, before
        )

    def costs_key(self, contender):
        """The key of the costs of a contender."""
        seed, target = self.settings.seeds[0], self.settings.targets[0]
        key = self.key(seed, contender, contender, target)
        return signature(key, self.settings.timing_steps)

    def is_timed(self, run):
        """Whether the adapter of a run is the one to be timed."""
        is_first = run.seed == self.settings.seeds[0]
        return is_first and run.contender is run.owner
