"""Which room and which domain each frame of a walk shows."""

import dataclasses

import numpy as np

from keras_s4t.data.synth_rooms.domain import Domain

# What does not change while the camera is in a room.
MATERIAL_FIELDS = (
    "wall_kinds",
    "floor_kinds",
    "fabric_kinds",
    "wall_saturation",
    "wall_value",
    "fabric_saturation",
    "fabric_value",
    "wood_hue",
    "wood_saturation",
    "wood_value",
    "texture_contrast",
    "texture_frequency",
    "painted_wood",
    "gloss",
    "clutter",
)
# The lamp keeps its place and its shape, too, but new ones need no new room.
LAMP_FIELDS = ("key_radius", "key_offset")


@dataclasses.dataclass(frozen=True)
class Frame:
    """What decides one frame, apart from seed, split and size.

    Attributes:
        phase: int, number of the phase.
        blend: float in `(0, 1]`, how far the phase has set in.
        room: int, index of the room.
        step: int, number of the frame in this room.
        room_domain: `Domain` that furnished the room.
        domain: `Domain` of the frame, that of the room in what belongs to it.
    """

    phase: int
    blend: float
    room: int
    step: int
    room_domain: Domain
    domain: Domain


def make_schedule(domains, length, frames_per_room, blend):
    """Returns a list with the `Frame` of every frame of a walk.

    Args:
        domains: list of `Domain`, one per phase.
        length: int, number of frames, at least as many as phases.
        frames_per_room: int.
        blend: float in `[0, 1]`, part of a phase over which it sets in.
    """
    bounds = np.linspace(0, length, len(domains) + 1).round().astype(int)
    frames = []
    room, step, room_domain = 0, 0, domains[0]
    for phase, domain in enumerate(domains):
        start, stop = int(bounds[phase]), int(bounds[phase + 1])
        before = domains[max(phase - 1, 0)]
        changing = round(blend * (stop - start)) if phase else 0
        if step and not _same(domain, room_domain, MATERIAL_FIELDS):
            room, step = room + 1, 0
        for index in range(stop - start):
            if step == frames_per_room:
                room, step = room + 1, 0
            if step == 0:
                room_domain = domain
            amount = min(1.0, (index + 1) / (changing + 1))
            frames.append(
                Frame(
                    phase=phase,
                    blend=amount,
                    room=room,
                    step=step,
                    room_domain=room_domain,
                    domain=_seen(before, domain, amount, room_domain),
                )
            )
            step += 1
    return frames


def _same(domain, other, names):
    return all(getattr(domain, n) == getattr(other, n) for n in names)


def _seen(before, domain, amount, room_domain):
    """A domain between two phases, in a room that is there already."""
    kept = {n: getattr(room_domain, n) for n in MATERIAL_FIELDS + LAMP_FIELDS}
    if amount < 1:
        domain = before.toward(domain, amount)
    return domain.replace(**kept)
