"""A comparison in worker processes, one kind of work after another."""

from comparison.contenders import SOURCE_ONLY
from comparison.data import load_source
from comparison.results import CollectedResults


class Workers:
    """Does in workers what a `Comparison` would do one after another.

    What they finish is added to the results of the comparison as it comes, so
    that the comparison finds it done.

    Args:
        comparison: `Comparison`.
        pool: `Pool`.
    """

    def __init__(self, comparison, pool):
        self.comparison, self.pool = comparison, pool
        self.settings = comparison.settings
        if self.settings.cache is not None:
            # Rendered and decoded once; the workers find it in the cache.
            for name in self.settings.stages:
                comparison.target(name)
            seed = self.settings.seeds[0]
            load_source(self.settings, comparison.tasks, seed)

    def tune(self):
        """Tunes the first contender of every network, then all others.

        The others need not measure again where the network starts from.
        """
        keys, results = self.comparison.plan.keys, self.comparison.results
        todo = [
            contender
            for name, contender in self.comparison.plan.contenders.items()
            if name != SOURCE_ONLY
            and keys.tuning(contender) not in results["tuning"]
        ]
        if not todo:
            return
        self._train(self.settings.seeds[:1], todo)
        first = {c.network: c.name for c in reversed(todo)}.values()
        for is_first in (True, False):
            jobs = [c for c in todo if (c.name in first) is is_first]
            self._do(_tune, jobs)

    def adapt(self, groups):
        """Trains what is missing, and adapts.

        Args:
            groups: list of lists of `Run`; those of a list share an adapter.
        """
        contenders = self.comparison.plan.contenders.values()
        if any(groups):
            self._train(self.settings.seeds, contenders)
        self._do(_adapt, [group for group in groups if group])

    def _train(self, seeds, contenders):
        """Plain and joint models first: others learn on the plain one."""
        sources = self.comparison.sources
        models = {}
        for seed in seeds:
            for contender in contenders:
                if contender.is_frozen or not contender.is_trained:
                    models[seed, sources.plain.name] = seed, sources.plain
                if contender.is_trained:
                    models[seed, contender.name] = seed, contender
        todo = [m for m in models.values() if not sources.is_there(*m)]
        for is_frozen in (False, True):
            jobs = [m for m in todo if m[1].is_frozen is is_frozen]
            self._do(_train, jobs)

    def _do(self, function, jobs):
        """Calls `function(comparison, job)` in workers, and keeps results."""
        comparison = self.comparison
        runs = {run.key: run for run in comparison.plan.runs()}
        # Of the runs, a worker reads those that measure step 0.
        starts = {run.start_key for run in runs.values()}
        content = comparison.results.content
        content = content | {
            "runs": {k: v for k, v in content["runs"].items() if k in starts}
        }
        # Without the targets, which do not travel.
        packed = comparison.in_worker(None)
        packed.progress = None

        def work(job):
            results = CollectedResults(content)
            function(packed.in_worker(results), job)
            return results.added

        for _, added in self.pool.run(work, jobs):
            for record in added:
                is_run = record["part"] == "runs"
                if is_run and record["key"] in comparison.results["runs"]:
                    # A worker does not know what it only had to go through.
                    continue
                comparison.results.add(**record)
                self._report(record, runs)

    def _report(self, record, runs):
        """Tells what a worker has finished."""
        if record["part"] == "sources":
            print(
                f"Trained the source model: {record['name']}, seed "
                f"{record['seed']} ({record['seconds']:.1f} s)",
                flush=True,
            )
        elif record["part"] == "tuning":
            name = record["contender"]
            print(f"Chose learning rate and steps: {name}", flush=True)
        else:
            gain = self.comparison.gain(record["curve"])
            run = runs[record["key"]]
            self.comparison.progress.report(run, gain, record["seconds"])


def _train(comparison, job):
    comparison.sources.trained(*job)


def _tune(comparison, contender):
    comparison.tune_one(contender)


def _adapt(comparison, runs):
    comparison.adapt_all(runs)
