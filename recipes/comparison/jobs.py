"""Parts of a comparison in several processes, on one machine or many."""

import contextlib
import io
import os
import sys

SCHEMES = {"ray": ("ray://", "ray"), "dask": ("tcp://", "distributed")}
# Seconds until a cluster counts as one that does not answer.
TIMEOUT = 10
# How often in a row workers may die before anything is finished.
MOST_DEATHS = 3


class Pool:
    """Workers that do jobs in any order.

    A worker that dies, such as one that is killed for its memory, is replaced,
    and what it did is done again.

    Args:
        num_jobs: Number of jobs at a time, or `None` for as many as the
            cluster has workers.
        cluster: Optional address of a Ray cluster (`"ray://host:port"`) or of
            the scheduler of a Dask cluster (`"tcp://host:port"`). Its workers
            must see the package, the recipes and the folder of the output
            under the same paths.

    Raises:
        ValueError: If a number is below 1, a package is missing or the cluster
            does not answer.
    """

    def __init__(self, num_jobs=None, cluster=None):
        if num_jobs is not None and num_jobs < 1:
            raise ValueError(
                f"`jobs` must be at least 1. Received: jobs={num_jobs}"
            )
        _import("joblib")
        self.num_jobs = num_jobs or -1
        self._options = {"backend": "loky"}
        self.is_local = cluster is None
        if cluster is not None:
            backend, self._connection = _connect(cluster)
            self._options = {"backend": backend}

    def run(self, function, jobs):
        """Does all jobs.

        Args:
            function: Function of a job. It may be a closure.
            jobs: list of what `function` takes.

        Yields:
            Pairs of a job and what `function` returned, as they come.

        Raises:
            RuntimeError: If workers die again and again.
        """
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        todo = dict(enumerate(jobs))
        deaths = 0
        while todo:
            try:
                for index, result in self._results(function, todo):
                    deaths = 0
                    yield todo.pop(index), result
            except TerminatedWorkerError as error:
                deaths += 1
                if deaths == MOST_DEATHS:
                    raise RuntimeError(
                        f"Workers died {deaths} times before they finished "
                        "anything; is there memory for so many? What is "
                        "finished is kept. Received: "
                        f"{len(todo)} jobs that are left ({error})"
                    ) from error
                print(
                    "A worker died. What it did is done again.",
                    file=sys.stderr,
                    flush=True,
                )

    def _results(self, function, jobs):
        import joblib

        # Clusters know their processors themselves.
        environment = contextlib.nullcontext()
        if self.is_local:
            threads = max(1, (os.cpu_count() or 1) // self.num_jobs)
            self._options["inner_max_num_threads"] = threads
            environment = _tensorflow_threads(threads)
        with environment, joblib.parallel_config(**self._options):
            calls = [
                joblib.delayed(_do)(function, index, job)
                for index, job in jobs.items()
            ]
            backend, _ = joblib.parallel.get_active_backend()
            options = {"n_jobs": self.num_jobs, "batch_size": 1}
            if getattr(backend, "supports_return_generator", False):
                yield from joblib.Parallel(
                    return_as="generator_unordered",
                    pre_dispatch="all",
                    **options,
                )(calls)
                return
            # Ray's returns whole lists: as many jobs as it has workers.
            size = joblib.effective_n_jobs(self.num_jobs)
            for start in range(0, len(calls), size):
                parallel = joblib.Parallel(**options)
                yield from parallel(calls[start : start + size])


def _do(function, index, job):
    """One job, in a worker. Its progress bars would overwrite each other."""
    with contextlib.redirect_stdout(io.StringIO()):
        return index, function(job)


def _import(package, why="Several jobs take"):
    try:
        return __import__(package)
    except ImportError as error:
        raise ValueError(
            f"{why} the package `{package}`: `pip install {package}`."
        ) from error


def _connect(cluster):
    """Connects; returns joblib's name of the backend, and what to keep."""
    for name, (scheme, package) in SCHEMES.items():
        if cluster.startswith(scheme):
            module = _import(package, f"A cluster at {scheme} takes")
            try:
                return name, _CONNECT[name](module, cluster)
            except (OSError, ValueError, RuntimeError) as error:
                raise ValueError(
                    "`cluster` must be the address of a cluster that answers. "
                    f"Received: cluster={cluster!r} ({error})"
                ) from error
    raise ValueError(
        "`cluster` must be the address of a cluster of Ray, 'ray://host:port', "
        "or of the scheduler of Dask, 'tcp://host:port'. "
        f"Received: cluster={cluster!r}"
    )


def _connect_ray(ray, cluster):
    from ray.util.joblib import register_ray

    register_ray()
    return ray.init(cluster, log_to_driver=False)


def _connect_dask(distributed, cluster):
    return distributed.Client(cluster, timeout=TIMEOUT)


_CONNECT = {"ray": _connect_ray, "dask": _connect_dask}


@contextlib.contextmanager
def _tensorflow_threads(number):
    """The threads of TensorFlow in processes that are started meanwhile.

    joblib limits those of OpenMP, which PyTorch uses.
    """
    name = "TF_NUM_INTRAOP_THREADS"
    before = os.environ.get(name)
    os.environ.setdefault(name, str(number))
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
