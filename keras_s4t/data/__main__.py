"""Build, verify and look at datasets: `python -m keras_s4t.data --help`."""

import argparse
import sys

from keras_s4t.data.archives.commands import build
from keras_s4t.data.archives.commands import check_normals
from keras_s4t.data.archives.commands import show
from keras_s4t.data.archives.commands import verify

COMMANDS = {
    "build": build,
    "verify": verify,
    "check-normals": check_normals,
    "show": show,
}


def main(arguments=None):
    """Runs a command and returns its exit status.

    Args:
        arguments: Optional list of strings instead of those of the process.
    """
    parser = argparse.ArgumentParser(
        prog="python -m keras_s4t.data", description=__doc__
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        command = commands.add_parser(
            name, help=module.__doc__, description=module.__doc__
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    chosen = parser.parse_args(arguments)
    try:
        return chosen.run(chosen)
    # What is not installed is named, too.
    except (ImportError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
