"""The words of the table."""

import io

import pytest
import rich.console
from stand_in_live import make_live
from stand_in_live import make_record

from keras_s4t.live import LiveTable

pytestmark = pytest.mark.eager


def shown(monitor_calls, **options):
    """What is written, as lines of words."""
    file = io.StringIO()
    console = rich.console.Console(
        file=file, width=100, force_terminal=False, **options
    )
    table = LiveTable(console)
    for live, record in monitor_calls:
        table.on_window(live, record)
    table.close()
    table.close()
    return [line.strip() for line in file.getvalue().splitlines()]


def texts(lines):
    """The texts of a table by their names."""
    return dict(line.split("   ", 1) for line in lines if "   " in line)


def test_a_window():
    found = {
        name: text.strip()
        for name, text in texts(shown([(make_live(), make_record())])).items()
    }
    assert found == {
        "window": "3, at frame 19",
        "action": "rolled back: loss 3 is above 2",
        "predicts": "batch_norm",
        "estimated gains": "source +0.0 %, batch_norm +12.2 %",
        "frames per second": "12.5",
        "prediction": "12.5 ms, 99 % within 250.0 ms",
        "skipped frames": "2 blank, 1 not finite",
        "windows": "2 adapted, 1 rolled back",
        "statistics": "0.500 deviations from the source",
        "loss": "3, at most 2",
        "depth spread": "0.75, at least 0.5",
    }


def test_the_last_window_is_left():
    lines = shown(
        [
            (make_live(), make_record()),
            (make_live(skipped={}), make_record(window=4, scores={})),
        ]
    )
    found = texts(lines)
    assert found["window"].strip() == "4, at frame 19"
    assert found["skipped frames"].strip() == "0"
    assert found["loss"].strip() == "3"
    # Where the output is no terminal.
    assert sum("at frame" in line for line in lines) == 1


def test_nothing_is_shown_without_windows():
    assert shown([]) == []
