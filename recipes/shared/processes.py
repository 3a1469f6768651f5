"""Several processes or devices that train one model.

PyTorch has processes, which `torchrun` starts, here or on several hosts.
TensorFlow and JAX have one process a host and several devices: GPUs, or parts
of the CPU.
"""

import contextlib
import dataclasses
import os
import subprocess
import sys

import keras

BACKEND = keras.backend.backend()


@dataclasses.dataclass(frozen=True)
class Group:
    """The processes of a training, seen by one of them.

    Attributes:
        rank: int. Which one this is. The first writes files and tells of the
            progress.
        num_shares: int. Into how many shares the processes divide batches
            themselves; 1 where the backend divides them.
    """

    rank: int = 0
    num_shares: int = 1

    @property
    def is_first(self):
        """Whether this process writes files."""
        return self.rank == 0

    def share(self, batches):
        """The images of a dataset that this process trains on."""
        if self.num_shares == 1:
            return batches
        import keras_s4t

        return keras_s4t.data.share_of(batches, self.rank, self.num_shares)

    @contextlib.contextmanager
    def first_one_first(self):
        """Within it, the others wait until the first process has left."""
        if self.num_shares == 1:
            yield
            return
        import torch.distributed as dist

        if not self.is_first:
            dist.barrier()
        try:
            yield
        finally:
            if self.is_first:
                dist.barrier()


@contextlib.contextmanager
def alone():
    """Within it, Keras makes variables for this process, not for all hosts.

    Keras makes layers when it saves a model. Those that `DataParallel` lays out
    would wait for the same ones of other hosts.
    """
    distribution = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(distribution)


def add_processes_argument(parser):
    """Adds `--processes`."""
    parser.add_argument(
        "--processes",
        type=int,
        default=1,
        help="processes (PyTorch) or devices (TensorFlow, JAX) that share\n"
        "batches; see the README of the recipes for several hosts",
    )


def check_processes(count, batch_size):
    """Raises a `ValueError` if processes cannot share batches.

    Args:
        count: int, of `--processes`.
        batch_size: int. Images in a batch of all processes.
    """
    if count < 1:
        raise ValueError(f"--processes must be at least 1, not {count}")
    world = int(os.environ.get("WORLD_SIZE", count))
    if count not in (1, world):
        raise ValueError(
            f"--processes must be left out, or the {world} that torchrun "
            f"started, not {count}"
        )
    if batch_size % max(count, world):
        raise ValueError(
            "--batch-size must divide by the number of processes. Received: "
            f"{batch_size} images for {max(count, world)} processes"
        )


def start_again(count):
    """Starts this program in several processes of PyTorch, if there are to be.

    Returns:
        Exit status of the processes, or `None` if this is one of them.
    """
    if BACKEND != "torch" or count == 1 or "WORLD_SIZE" in os.environ:
        return None
    options = ["--standalone", f"--nproc-per-node={count}"]
    launcher = [sys.executable, "-m", "torch.distributed.run", *options]
    # Else every process takes all cores.
    threads = str(max(1, (os.cpu_count() or 1) // count))
    environment = {"OMP_NUM_THREADS": threads, **os.environ}
    return subprocess.call([*launcher, *sys.argv], env=environment)


@contextlib.contextmanager
def group(count):
    """Context manager in which a model is made and trained by several.

    Args:
        count: int, of `--processes`.

    Returns:
        The `Group`.

    Raises:
        ValueError: If there are fewer devices.
    """
    if BACKEND == "torch":
        yield from _processes()
    elif BACKEND == "jax":
        yield from _data_parallel(count)
    else:
        yield from _mirrored(count)


def _processes():
    if "WORLD_SIZE" not in os.environ:
        yield Group()
        return
    import torch
    import torch.distributed as dist

    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield Group(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()


def _data_parallel(count):
    several_hosts = "KERAS_DISTRIBUTION_NUM_PROCESSES" in os.environ
    if count == 1 and not several_hosts:
        yield Group()
        return
    # Read when JAX first looks for devices; of no matter for GPUs.
    os.environ["XLA_FLAGS"] = (
        os.environ.get("XLA_FLAGS", "")
        + f" --xla_force_host_platform_device_count={count}"
    )
    if several_hosts:
        keras.distribution.initialize()
    import jax

    if jax.local_device_count() < count:
        raise ValueError(
            f"There must be {count} devices on a host. "
            f"Received: {jax.local_device_count()}"
        )
    devices = None
    if not several_hosts:
        devices = keras.distribution.list_devices()[:count]
    with keras.distribution.DataParallel(devices=devices).scope():
        yield Group(jax.process_index())


def _mirrored(count):
    import tensorflow as tf

    if "TF_CONFIG" in os.environ:
        raise ValueError(
            "Several hosts must train with JAX or PyTorch: on TensorFlow this "
            "program uses the devices of one. Received: TF_CONFIG is set"
        )
    if count == 1:
        yield Group()
        return
    devices = tf.config.list_physical_devices("GPU")
    if not devices:
        (device,) = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(
            device, [tf.config.LogicalDeviceConfiguration()] * count
        )
        devices = tf.config.list_logical_devices("CPU")
    if len(devices) < count:
        raise ValueError(
            f"There must be {count} GPUs. Received: {len(devices)}"
        )
    kind = devices[0].device_type
    names = [f"{kind}:{i}" for i in range(count)]
    with tf.distribute.MirroredStrategy(names).scope():
        yield Group()
