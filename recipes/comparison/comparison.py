"""Does what a comparison consists of, in its order, and nothing twice."""

import gc
import itertools
import time

from comparison.adaptation import adapt
from comparison.adaptation import directions
from comparison.adaptation import make_adapter
from comparison.adaptation import measure_source
from comparison.contenders import SOURCE_ONLY
from comparison.costs import measure_costs
from comparison.data import load_target
from comparison.plan import Plan
from comparison.results import columns_of
from comparison.results import curve_of
from comparison.source_models import SourceModels
from comparison.statistics import gains_of
from comparison.tuning import tune


class Comparison:
    """Tunes, trains and adapts what has no result yet.

    Step 0 of a network is measured once per target, with the moving
    statistics, whatever a method predicts with.

    Args:
        rows: list of `Row`, from `make_rows`.
        settings: `Settings`.
        results: `Results`.

    Raises:
        ValueError: If a method cannot adapt the network.
    """

    def __init__(self, rows, settings, results):
        self.plan = Plan(rows, settings)
        self.settings = settings
        self.results = results
        self.sources = SourceModels(settings, results)
        seed = settings.seeds[0]
        network = settings.configuration.make_network(seed)
        self.tasks = network.tasks
        self.default_learning_rates = {}
        for row in rows:
            method = row.make(seed)
            method.check(network)
            optimizer = method.default_optimizer()
            rate = float(optimizer.learning_rate)
            self.default_learning_rates[row.name] = rate
        self._targets = {}

    def run(self):
        """Does everything; may be interrupted and called again."""
        if self.settings.tune:
            self._tune()
        units = self.plan.units()
        done = [u for u in units if u.key in self.results["runs"]]
        self.results.save(
            methods=self._methods(), plan=[unit.key for unit in units]
        )
        self._progress = Progress(len(units), len(done))
        for _, group in itertools.groupby(units, key=lambda u: u.adapter):
            self._run(list(group))

    def _methods(self):
        """What the results tell of every method."""
        is_tuned = self.settings.tune
        return {
            name: {
                "network": row.network,
                "default_learning_rate": self.default_learning_rates[name],
                **self.plan.choices[name],
                "costs": self.plan.costs_key(row),
                "tuning": self.plan.tuning_key(row) if is_tuned else None,
            }
            for name, row in self.plan.rows.items()
        }

    def _tune(self):
        seed = self.settings.seeds[0]
        starts = {}
        for name, row in self.plan.rows.items():
            if name == SOURCE_ONLY:
                continue
            key = self.plan.tuning_key(row)
            if key not in self.results["tuning"]:
                print(f"Choosing learning rate and steps: {name}")
                network, method = self.sources.get(seed, row, row)
                known = starts.get(row.network)
                facts = tune(network, method, self.settings, known)
                self.results.add("tuning", key, method=name, **facts)
                gc.collect()
            facts = self.results["tuning"][key]
            starts.setdefault(row.network, facts["starts"])
            if facts["step"] is not None:
                self.plan.choices[name] = {
                    "learning_rate": facts["learning_rate"],
                    "step": facts["step"],
                }

    def _run(self, units):
        first = units[0]
        todo = [u for u in units if u.key not in self.results["runs"]]
        costs_key = self.plan.costs_key(first.row)
        needs_costs = (
            self.plan.is_timed(first) and costs_key not in self.results["costs"]
        )
        if not todo and not needs_costs:
            return
        adapter = make_adapter(
            *self.sources.get(first.seed, first.owner, first.row),
            self.settings,
            self.plan.choices[first.row.name]["learning_rate"],
        )
        for unit in todo:
            self._adapt(unit, adapter)
        if needs_costs:
            target = self._target(first.target)
            costs = measure_costs(adapter, target, *self.settings.timing_steps)
            self.results.add("costs", costs_key, **costs)
        # An adapter and its compiled functions are large.
        del adapter
        gc.collect()

    def _adapt(self, unit, adapter):
        begin = time.time()
        target = self._target(unit.target)
        if unit.start_key in self.results["runs"]:
            columns = self.results["runs"][unit.start_key]["curve"]
            start = curve_of(columns, directions(self.tasks)).points[0]
        else:
            start = measure_source(adapter, target)
        curve = adapt(adapter, target, self.settings, start)
        seconds = time.time() - begin
        self.results.add(
            "runs",
            unit.key,
            seed=unit.seed,
            target=unit.target,
            method=unit.row.name,
            network=unit.owner.network,
            seconds=seconds,
            curve=columns_of(curve.points),
        )
        self._progress.report(unit, gains_of(curve)[-1], seconds)

    def _target(self, name):
        if name not in self._targets:
            dataset = load_target(self.settings, self.tasks, name)
            self._targets[name] = dataset
        return self._targets[name]


class Progress:
    """One line per finished adaptation.

    Args:
        total: int. How many there are.
        done: int. How many were there before.
    """

    def __init__(self, total, done):
        self.total, self.done, self.found = total, done, done
        self.begin = time.time()
        if done:
            print(f"{done} of {total} adaptations are there already.")

    def report(self, unit, gain, seconds):
        """Counts one more, and says how long the others may take."""
        self.done += 1
        passed = time.time() - self.begin
        pace = passed / (self.done - self.found)
        owner = unit.owner.name
        network = "" if unit.row is unit.owner else f" on the model of {owner}"
        print(
            f"[{self.done}/{self.total}] seed {unit.seed}, {unit.target}, "
            f"{unit.row.name}{network}: {gain:+.2f} % ({seconds:.1f} s; about "
            f"{pace * (self.total - self.done) / 60:.0f} min left)",
            flush=True,
        )
