"""The tables of a comparison."""

from shared.reporting import CONTROL
from shared.reporting import method_title
from shared.reporting import task_header
from shared.tables import Table
from shared.tables import gain_cell
from shared.tables import interval_cell
from shared.tables import metric_cell
from shared.tables import number_cell

from comparison.contenders import SOURCE_ONLY
from comparison.statistics import CONFIDENCE
from comparison.statistics import spread
from comparison.summary import MEASURES
from comparison.summary import correlations

DELTA = "Delta_TTT\n%"
OVER = "over\nBatch-\nNormOnly"
SYNC = ("SV ↓", "DTW ↓", "CS ↑")
NOTE = f"""\
What follows ± is the standard deviation over seeds; of gains over
BatchNormOnly, in points of Delta_TTT, it is half of the {CONFIDENCE:.0%}
confidence interval of the mean, paired over seeds, by Student's t. A method is
compared with BatchNormOnly on the network that it adapts itself. The best step
is an oracle: to find it takes the labels of the target.
"""


def target_table(summary, target):
    """The paper's Table 1 for one target, and what it must be read with."""
    headers = [
        "method",
        *map(task_header, summary.tasks),
        DELTA,
        OVER,
        "oracle:\nbest\nstep",
    ]
    rows = []
    for method in summary.methods:
        if not summary.curves(method, target):
            continue
        gain = spread(list(summary.gains(method, target).values()))
        over = list(summary.over_control(method, target).values())
        best, step = summary.best(method, target)
        rows.append(
            [
                method_title(method),
                *map(metric_cell, summary.metrics(method, target).values()),
                gain_cell(gain),
                interval_cell(
                    spread(over) if over and method != CONTROL else None
                ),
                f"{best.mean:+.2f}\n@{step}",
            ]
        )
    seeds = len(summary.content["settings"]["seeds"])
    title = f"{target}, {seeds} seed{'s' * (seeds > 1)}"
    return Table(title, headers, rows)


def overall_table(summary, title="Delta_TTT in percent, all targets"):
    """Delta_TTT on every target, and the mean over targets.

    Behind it, on the source after all targets: what was forgotten.
    """
    names = _short_names(summary.targets + summary.returns)
    count = len(summary.targets)
    headers = ["method", *names[:count], "mean\n%", OVER, *names[count:]]
    rows = []
    for method in summary.methods:
        gains, returns = (
            [list(summary.gains(method, name).values()) for name in group]
            for group in (summary.targets, summary.returns)
        )
        mean = summary.over_targets(summary.gains, method)
        over = summary.over_targets(summary.over_control, method)
        rows.append(
            [
                method_title(method),
                *(f"{spread(g).mean:+.2f}" if g else "" for g in gains),
                gain_cell(mean) if mean else "",
                interval_cell(over if method != CONTROL else None),
                *(gain_cell(spread(g)) if g else "" for g in returns),
            ]
        )
    return Table(title, headers, rows)


def network_table(summary):
    """The source models before adaptation, and with the control."""
    headers = [
        "source model",
        *map(task_header, summary.tasks),
        "Batch-\nNormOnly\n%",
    ]
    rows = []
    for network in summary.networks():
        # Step 0 is in every curve of the network.
        values, gains = {t.metric_key: [] for t in summary.tasks}, []
        for target in summary.targets:
            curves = summary.curves(CONTROL, target, network)
            if not curves:
                continue
            metrics = summary.metrics(CONTROL, target, network, step=0)
            for key, value in metrics.items():
                values[key].append(value.mean)
            gains += summary.gains(CONTROL, target, network).values()
        if gains:
            rows.append(
                [
                    network,
                    *(f"{spread(v).mean:#.4g}" for v in values.values()),
                    f"{spread(gains).mean:+.2f}",
                ]
            )
    title = "Source models before adaptation, mean over targets"
    return Table(title, headers, rows)


def synchronization_table(summary, target):
    """How far tasks improve together, and whether that goes with gain."""
    headers = ["method", *SYNC, DELTA]
    rows = []
    for method in summary.methods:
        if method == SOURCE_ONLY or not summary.curves(method, target):
            continue
        measures = summary.synchronization(method, target)
        gain = spread(list(summary.gains(method, target).values()))
        cells = [metric_cell(measures[name]) for name in MEASURES]
        rows.append([method_title(method), *cells, gain_cell(gain)])
    found = summary.correlations(target)
    cells = [f"{found[name][0]:+.2f}" for name in MEASURES]
    rows.append(["Spearman with Delta_TTT", *cells, ""])
    return Table(f"Synchronization of tasks, {target}", headers, rows)


def correlation_table(summary):
    """How far Figure 3 holds: correlations over methods, and over targets.

    Args:
        summary: `Summary`.

    Returns:
        `Table`.
    """
    headers = ["over methods"]
    for what in ("Delta_TTT", "over\ncontrol"):
        headers += [f"{header}\n{what}" for header in SYNC]
    rows = []
    targets = summary.targets
    groups = {target: [target] for target in targets}
    if len(targets) > 1:
        groups["and over all targets"] = targets
    for name, members in groups.items():
        cells = []
        for per_target in (summary.gains, summary.over_control):
            markers = [
                summary.marker(method, target, per_target)
                for method in summary.markers(per_target)
                for target in members
                if summary.curves(method, target)
            ]
            found = correlations(markers)
            cells += [f"{found[measure][0]:+.2f}" for measure in MEASURES]
        rows.append([name, *cells])
    title = "Spearman's correlation of synchronization with the gain"
    return Table(title, headers, rows)


def costs_table(summary):
    """The paper's Table 9: parameters, seconds and memory."""
    content = summary.content
    headers = [
        "method",
        "parameters",
        "updated",
        "seconds\nper step",
        "seconds per\nprediction",
        "elsewhere:\nseconds\nper step",
        "peak\nmemory\nGB",
    ]
    rows = []
    for method in summary.methods:
        contender = content["contenders"][method]
        costs = content["costs"].get(contender["costs"], {})
        other = content["benchmark"].get(method, {})
        rows.append(
            [
                method_title(method),
                number_cell(costs.get("parameters"), ","),
                number_cell(costs.get("updated"), ","),
                number_cell(costs.get("step_seconds"), "#.3g"),
                number_cell(costs.get("predict_seconds"), "#.3g"),
                number_cell(other.get("step_seconds"), "#.3g"),
                number_cell(other.get("peak_memory"), ".2f", scale=1e-9),
            ]
        )
    return Table("Costs of one batch", headers, rows)


def tuning_table(summary):
    """Learning rates and steps, and what they brought on the source."""
    headers = [
        "method",
        "authors'\nlearning rate",
        "learning\nrate",
        "steps",
        "gain on\ncorrupted\nsource, %",
        "at the\nedge",
    ]
    rows = []
    for method in summary.methods:
        contender = summary.content["contenders"][method]
        tuned = summary.content["tuning"].get(contender["tuning"])
        if method == SOURCE_ONLY or tuned is None or tuned["step"] is None:
            continue
        rate = tuned["learning_rate"]
        default = contender["default_learning_rate"]
        rows.append(
            [
                method_title(method),
                number_cell(default if rate is not None else None, ".1e"),
                number_cell(rate, ".1e"),
                str(tuned["step"]),
                number_cell(tuned["mean_gain"], "+.2f"),
                "yes" if tuned["at_edge"] else "",
            ]
        )
    return Table("Chosen on corrupted source images", headers, rows)


def _short_names(names):
    """Names without the dataset, where that is the same for all."""
    datasets = {name.rpartition("/")[0] for name in names}
    if len(datasets) == 1:
        return [name.rpartition("/")[2].replace(" ", "\n") for name in names]
    return list(names)
