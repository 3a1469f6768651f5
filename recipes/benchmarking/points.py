"""What the benchmark measures: points, in the parts of its report."""

import dataclasses

FORMS = ("literal", "fast")
# The fast form without the check that a step is finite: what the check costs.
UNGUARDED = "unguarded"
# The fast form that never multiplies in the place of a convolution.
CONVOLVED = "convolved"
VARIANTS = (UNGUARDED, CONVOLVED)
SWEEPS = ("resolution", "batch", "tasks", "steps")
SIZES = ((128, 128), (256, 256), (448, 576))
BATCH_SIZES = (1, 2, 4, 8, 16)
NUM_TASKS = (1, 2, 3, 4)
STEPS = (1, 2, 4, 8)
# The literal form takes 20 GB for eight images of 448x576.
LARGE_IMAGES_BATCH_SIZE = 2
METHOD = "S4T"


@dataclasses.dataclass(frozen=True)
class Point:
    """One measurement of contenders who take turns.

    Attributes:
        operation: `"adapt"`, `"predict"` or `"source"`.
        contenders: Names of forms of S4T, or of methods in the fast form.
            All are compared with the first.
        size: Pair of ints, `(height, width)` of the images.
        batch_size: int.
        num_tasks: int.
        dtype: Name of a dtype policy.
        quick: bool. Whether the network is a tiny one.
        repeats: int. Rounds of turns.
        steps: Steps per measurement, or `None` for as many as take a second.
    """

    operation: str
    contenders: tuple
    size: tuple
    batch_size: int
    num_tasks: int
    dtype: str
    quick: bool
    repeats: int
    steps: int | None = None

    @property
    def key(self):
        """What the results call this point."""
        return " ".join(
            (
                self.operation,
                ",".join(self.contenders),
                "x".join(map(str, self.size)),
                f"batch={self.batch_size}",
                f"tasks={self.num_tasks}",
                self.dtype,
                f"steps={self.steps or 'auto'}",
                f"repeats={self.repeats}",
                *(["quick"] if self.quick else []),
            )
        )

    @property
    def setting(self):
        """The point without its steps: the same workers do for all of those."""
        return dataclasses.replace(self, steps=None)

    def worker_arguments(self, contender):
        """The command line of a contender's worker."""
        is_form = contender.startswith((*FORMS, *VARIANTS))
        return [
            *("--operation", self.operation),
            *("--form", contender if is_form else FORMS[-1]),
            *("--method", METHOD if is_form else contender),
            *("--size", *map(str, self.size)),
            *("--batch-size", str(self.batch_size)),
            *("--num-tasks", str(self.num_tasks)),
            *("--dtype", self.dtype),
            *(["--quick"] if self.quick else []),
        ]


def main_points(base, operations, forms, dtypes):
    """The main table: every operation in every form.

    Args:
        base: A `Point` with everything that is not varied.
        operations: Names of operations.
        forms: Names among `FORMS` and `VARIANTS`.
        dtypes: Names of dtype policies.

    Returns:
        list of `Point`.
    """
    points = []
    for dtype in dtypes:
        for operation in operations:
            contenders = tuple(forms)
            if operation == "predict" and "literal" in forms:
                # The authors run the synchronizer, and throw it away.
                contenders = ("literal", "literal_heads", *forms[1:])
            points.append(
                dataclasses.replace(
                    base,
                    operation=operation,
                    contenders=contenders,
                    dtype=dtype,
                )
            )
    return points


def sweep_points(base, sweep, batch_sizes=BATCH_SIZES):
    """The adaptation step over one quantity, all else as in `base`.

    Args:
        base: A `Point`.
        sweep: One of `SWEEPS`.
        batch_sizes: Sequence of ints, the values of `"batch"`.

    Returns:
        list of `Point`.
    """
    field, values = {
        "resolution": ("size", SIZES),
        "batch": ("batch_size", batch_sizes),
        "tasks": ("num_tasks", NUM_TASKS),
        "steps": ("steps", STEPS),
    }[sweep]
    if base.quick:
        height, width = base.size
        small = {"resolution": ((height, width), (height, 2 * width))}
        values = small.get(sweep, values[:2])
    if sweep == "resolution":
        batch_size = min(base.batch_size, LARGE_IMAGES_BATCH_SIZE)
        base = dataclasses.replace(base, batch_size=batch_size)
    return [dataclasses.replace(base, **{field: value}) for value in values]


def method_points(base, methods):
    """Every method next to the first one.

    Args:
        base: A `Point`.
        methods: Names of methods.

    Returns:
        list of `Point`.
    """
    first, *others = dict.fromkeys(methods)
    pairs = [(first, other) for other in others] or [(first,)]
    return [dataclasses.replace(base, contenders=pair) for pair in pairs]
