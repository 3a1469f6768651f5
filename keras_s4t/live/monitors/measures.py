"""What monitors show of a window."""

LATENCIES = ("prediction_seconds", "adaptation_seconds")


def measures_of(live, record):
    """The decision on a window and the report at that time, as one flat dict.

    Args:
        live: `LiveAdapter`.
        record: dict, the decision.

    Returns:
        dict of numbers, strings and `None`. Entries of a dict within a dict
        have both keys in theirs, as in `"adaptation_seconds/median"`.
    """
    report = live.report()
    for name in LATENCIES:
        # There are none before the second window, but there will be.
        report[name] = report[name] or {"median": None, "p99": None}
    # The report's name of the model that predicts may be that of the window
    # before, since weights are swapped in at the next prediction.
    return dict(_flat({**report, **record}))


def _flat(values, prefix=""):
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}/")
        else:
            yield prefix + key, value
