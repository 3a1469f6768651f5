"""Does what a comparison consists of, in its order, and nothing twice."""

import contextlib
import copy
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
from comparison.workers import Workers
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
        # A plain list: that of the network does not travel to workers.
        self.tasks = list(network.tasks)
        self.default_learning_rates = {}
        for contender in contenders:
            method = contender.make(seed)
            method.check(network)
            optimizer = method.default_optimizer()
            rate = float(optimizer.learning_rate)
            self.default_learning_rates[contender.name] = rate
        self.progress = None
        self._targets = {}

    def run(self, pool=None):
        """Does everything; may be interrupted and called again.

        Args:
            pool: Optional `Pool` of workers. Costs are measured without it,
                after everything else, since work beside them would change
                them.
        """
        with _small_heap():
            self._run_plan(None if pool is None else Workers(self, pool))

    def _run_plan(self, workers):
        if self.settings.tune:
            if workers:
                workers.tune()
            self._tune()
        runs = self.plan.runs()
        done = [run for run in runs if run.key in self.results["runs"]]
        self.results.update(
            contenders=self._contenders(), plan=[run.key for run in runs]
        )
        self.progress = Progress(len(runs), len(done))
        groups = [
            list(group)
            for _, group in itertools.groupby(runs, key=lambda r: r.adapter)
        ]
        if workers:
            workers.adapt([self.todo(group) for group in groups])
        for group in groups:
            self._run_all(group)
        self.results.save()

    def todo(self, runs):
        """Those of the runs of an adapter that are to be done.

        They have no result, or an adapter must go through them on the way to
        one that has none.
        """
        todo = [run for run in runs if run.key not in self.results["runs"]]
        if todo and self.settings.persists:
            return runs[: runs.index(todo[-1]) + 1]
        return todo

    def in_worker(self, results):
        """The same comparison for a worker, without what it cannot take.

        Args:
            results: `CollectedResults`.
        """
        copied = copy.copy(self)
        copied.results = results
        copied.sources = SourceModels(self.settings, results, self.plan.keys)
        copied._targets = {}
        return copied

    def gain(self, columns):
        """Delta_TTT at the last step of a curve, in percent."""
        curve = curve_of(columns, directions(self.tasks))
        return gains_of(curve)[-1]

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
        for name, contender in self.plan.contenders.items():
            if name == SOURCE_ONLY:
                continue
            key = self.plan.keys.tuning(contender)
            if key not in self.results["tuning"]:
                print(f"Choosing learning rate and steps: {name}")
                self.tune_one(contender)
            choice = self.results["tuning"][key]
            if choice["step"] is not None:
                self.plan.choices[name] = {
                    "learning_rate": choice["learning_rate"],
                    "step": choice["step"],
                }

    def tune_one(self, contender):
        """Chooses for a contender, and keeps the choice."""
        tuning = self.results["tuning"]
        keys = [
            self.plan.keys.tuning(other)
            for other in self.plan.contenders.values()
            if other.network == contender.network
        ]
        starts = [tuning[key]["starts"] for key in keys if key in tuning]
        seed = self.settings.seeds[0]
        network, method = self.sources.get(seed, contender, contender)
        known = starts[0] if starts else None
        choice = tune(network, method, self.settings, known)
        self.results.add(
            "tuning",
            self.plan.keys.tuning(contender),
            contender=contender.name,
            **choice,
        )
        gc.collect()

    def _run_all(self, runs):
        """Does the runs that share an adapter, and measures its costs."""
        first = runs[0]
        todo = self.todo(runs)
        costs_key = self.plan.costs_key(first.contender)
        needs_costs = (
            self.plan.is_timed(first) and costs_key not in self.results["costs"]
        )
        if not todo and not needs_costs:
            return
        adapter = self.adapt_all(todo, first)
        if needs_costs:
            target = self.target(first.target)
            costs = measure_costs(adapter, target, *self.settings.timing_steps)
            self.results.add("costs", costs_key, **costs)
        # An adapter and its compiled functions are large.
        del adapter
        gc.collect()

    def adapt_all(self, runs, first=None):
        """Does runs that share an adapter; returns the adapter."""
        first = first or runs[0]
        adapter = make_adapter(
            *self.sources.get(first.seed, first.owner, first.contender),
            self.settings,
            self.plan.choices[first.contender.name]["learning_rate"],
        )
        if self.settings.persists:
            # While the adapter is not adapted.
            starts = [self._start(run, adapter) for run in runs]
            for run, start in zip(runs, starts, strict=True):
                self._run(run, adapter, start)
            adapter.reset()
        else:
            for run in runs:
                self._run(run, adapter)
        return adapter

    def _start(self, run, adapter):
        """Step 0 of a run, measured unless it is known."""
        if run.start_key in self.results["runs"]:
            columns = self.results["runs"][run.start_key]["curve"]
            return curve_of(columns, directions(self.tasks)).points[0]
        return measure_source(adapter, self.target(run.target))

    def _run(self, run, adapter, start=None):
        begin = time.time()
        target = self.target(run.target)
        start = start or self._start(run, adapter)
        curve = measure_curve(adapter, target, self.settings, start)
        if run.key in self.results["runs"]:
            # The adapter had to go through it once more.
            return
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
        # A worker has nobody to tell.
        if self.progress is not None:
            self.progress.report(run, gains_of(curve)[-1], seconds)

    def target(self, name):
        """A labeled target, loaded once."""
        if name not in self._targets:
            dataset = load_target(self.settings, self.tasks, name)
            self._targets[name] = dataset
        return self._targets[name]


@contextlib.contextmanager
def _small_heap():
    """Collects garbage among what comes, not among all that is there.

    After every adapter garbage is collected, and the libraries have made more
    objects than the adapter has.
    """
    if gc.get_freeze_count():
        # Whoever called has done so.
        yield
        return
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


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
