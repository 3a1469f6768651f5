"""Types of command line arguments with a limited range."""

import argparse


def positive(text):
    """Converts to an int of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(
            f"must be at least 1. Received: {number}"
        )
    return number


def angle(text):
    """Converts to an angle between 0 and 180 degrees."""
    degrees = float(text)
    if not 0 < degrees < 180:
        raise argparse.ArgumentTypeError(
            f"must be between 0 and 180 degrees. Received: {degrees}"
        )
    return degrees
