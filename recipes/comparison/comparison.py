"""Does what a comparison consists of, in its order, and nothing twice."""

import gc
import itertools
import time

from shared.adaptation import measure_source
from shared.reporting import method_title

from comparison.adaptation import make_adapter
from comparison.adaptation import measure_curve
from comparison.contenders import SOURCE_ONLY
from comparison.costs import measure_costs
from comparison.data import load_target
from comparison.keys import Keys
from comparison.plan import Plan
from comparison.results import columns_of
from comparison.results import curve_of
from comparison.source_models import SourceModels
from comparison.statistics import gains_of
from comparison.tuning import tune
from keras_s4t.tasks import directions


class Comparison:
    """Tunes, trains and adapts what has no result yet.

    Step 0 of a network is measured once per target, with the moving
    statistics, whatever a method predicts with.

    Args:
        contenders: list of `Contender`, from `make_contenders`.
        settings: `Settings`.
        results: `ComparisonResults`.

    Raises:
        ValueError: If a method cannot adapt the network.
    """

    def __init__(self, contenders, settings, results):
        self.settings = settings
        self.results = results
        seed = settings.seeds[0]
        network = settings.configuration.make_network(seed)
        keys = Keys(settings, network)
        self.plan = Plan(contenders, settings, keys)
        self.sources = SourceModels(settings, results, keys)
        self.tasks = network.tasks
        self.default_learning_rates = {}
        for contender in contenders:
            method = contender.make(seed)
            method.check(network)
            optimizer = method.default_optimizer()
            rate = float(optimizer.learning_rate)
            self.default_learning_rates[contender.name] = rate
        self._targets = {}

    def run(self):
        """Does everything; may be interrupted and called again."""
        if self.settings.tune:
            self._tune()
        runs = self.plan.runs()
        done = [run for run in runs if run.key in self.results["runs"]]
        self.results.update(
            contenders=self._contenders(), plan=[run.key for run in runs]
        )
        self._progress = Progress(len(runs), len(done))
        for _, group in itertools.groupby(runs, key=lambda run: run.adapter):
            self._run_all(list(group))

    def _contenders(self):
        """What the results tell of every contender."""
        plan, is_tuned = self.plan, self.settings.tune
        return {
            name: {
                "network": contender.network,
                "default_learning_rate": self.default_learning_rates[name],
                **plan.choices[name],
                "costs": plan.costs_key(contender),
                "tuning": plan.keys.tuning(contender) if is_tuned else None,
            }
            for name, contender in plan.contenders.items()
        }

    def _tune(self):
        seed = self.settings.seeds[0]
        starts = {}
        for name, contender in self.plan.contenders.items():
            if name == SOURCE_ONLY:
                continue
            key = self.plan.keys.tuning(contender)
            if key not in self.results["tuning"]:
                print(f"Choosing learning rate and steps: {name}")
                network, method = self.sources.get(seed, contender, contender)
                known = starts.get(contender.network)
                choice = tune(network, method, self.settings, known)
                self.results.add("tuning", key, contender=name, **choice)
                gc.collect()
            choice = self.results["tuning"][key]
            starts.setdefault(contender.network, choice["starts"])
            if choice["step"] is not None:
                self.plan.choices[name] = {
                    "learning_rate": choice["learning_rate"],
                    "step": choice["step"],
                }

    def _run_all(self, runs):
        """Does the runs that share an adapter."""
        first = runs[0]
        todo = [run for run in runs if run.key not in self.results["runs"]]
        costs_key = self.plan.costs_key(first.contender)
        needs_costs = (
            self.plan.is_timed(first) and costs_key not in self.results["costs"]
        )
        if not todo and not needs_costs:
            return
        adapter = make_adapter(
            *self.sources.get(first.seed, first.owner, first.contender),
            self.settings,
            self.plan.choices[first.contender.name]["learning_rate"],
        )
        for run in todo:
            self._run(run, adapter)
        if needs_costs:
            target = self._target(first.target)
            costs = measure_costs(adapter, target, *self.settings.timing_steps)
            self.results.add("costs", costs_key, **costs)
        # An adapter and its compiled functions are large.
        del adapter
        gc.collect()

    def _run(self, run, adapter):
        begin = time.time()
        target = self._target(run.target)
        if run.start_key in self.results["runs"]:
            columns = self.results["runs"][run.start_key]["curve"]
            start = curve_of(columns, directions(self.tasks)).points[0]
        else:
            start = measure_source(adapter, target)
        curve = measure_curve(adapter, target, self.settings, start)
        seconds = time.time() - begin
        self.results.add(
            "runs",
            run.key,
            seed=run.seed,
            target=run.target,
            contender=run.contender.name,
            network=run.owner.network,
            seconds=seconds,
            curve=columns_of(curve.points),
        )
        self._progress.report(run, gains_of(curve)[-1], seconds)

    def _target(self, name):
        if name not in self._targets:
            dataset = load_target(self.settings, self.tasks, name)
            self._targets[name] = dataset
        return self._targets[name]


class Progress:
    """One line per finished run.

    Args:
        total: int. How many there are.
        done: int. How many were there before.
    """

    def __init__(self, total, done):
        self.total, self.done, self.found = total, done, done
        self.begin = time.time()
        if done:
            print(f"{done} of {total} adaptations are there already.")

    def report(self, run, gain, seconds):
        """Counts one more, and says how long the others may take."""
        self.done += 1
        passed = time.time() - self.begin
        pace = passed / (self.done - self.found)
        name, owner = run.contender.name, run.owner.name
        network = "" if name == owner else f" on the model of {owner}"
        print(
            f"[{self.done}/{self.total}] seed {run.seed}, {run.target}, "
            f"{method_title(name)}{network}: {gain:+.2f} % ({seconds:.1f} s; "
            f"about {pace * (self.total - self.done) / 60:.0f} min left)",
            flush=True,
        )
