"""What a live adapter does, for people to see."""

from keras_s4t.live.monitors.csv_log import CSVLog
from keras_s4t.live.monitors.live_table import LiveTable
from keras_s4t.live.monitors.monitors import Monitors
from keras_s4t.live.monitors.tensorboard_log import TensorBoardLog

__all__ = [
    "CSVLog",
    "LiveTable",
    "Monitors",
    "TensorBoardLog",
]
