"""Procedural indoor rooms with aligned multi-task labels."""

from keras_s4t.data.synth_rooms.classes import CLASS_NAMES
from keras_s4t.data.synth_rooms.domain import Domain
from keras_s4t.data.synth_rooms.domains import DOMAINS
from keras_s4t.data.synth_rooms.synth_rooms import SynthRooms
from keras_s4t.data.synth_rooms.walking.walk import Walk

__all__ = ["CLASS_NAMES", "DOMAINS", "Domain", "SynthRooms", "Walk"]
