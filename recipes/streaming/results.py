"""Results of a recipe of live streams, found again when it goes on."""

import keras
from benchmarking.hardware import device_name
from shared.results_file import ResultsFile
from shared.results_file import given_command


class StreamResults(ResultsFile):
    """What every run on a stream gave, in `results.json`."""

    kind = "a recipe of live streams"
    parts = ("runs",)


def open_results(parser, arguments, **settings):
    """The results of the output folder, for runs of the same settings.

    Ends the program if the folder holds results of others.

    Args:
        parser: `argparse.ArgumentParser`.
        arguments: The command line's values.
        **settings: What else the runs depend on.

    Returns:
        `StreamResults` with `"runs"`, the settings and the command.
    """
    settings = {
        "device": device_name(),
        "backend": keras.backend.backend(),
        "preset": arguments.preset,
        "window": arguments.window,
        "size": arguments.size,
        **settings,
    }
    output = arguments.output
    try:
        results = StreamResults(output / "results.json")
    except ValueError as error:
        parser.error(str(error))
    known = {k: results.content.get(k, v) for k, v in settings.items()}
    if known != settings:
        parser.error(
            f"--output must be empty or of the same settings, not {output}"
        )
    results.content = {"runs": {}, **results.content, **settings}
    results.content["command"] = given_command()
    return results
