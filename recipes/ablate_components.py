"""What the parts of S4T contribute: Table 2 of the paper.

    python recipes/ablate_components.py --tune --method-epochs 3

Compares S4T with

- `synchronizer`: neither task projections nor masking. The latents are not
  supervised per task, and nothing is hidden;
- `synchronizer, projections`: nothing is hidden;
- `synchronizer, image`: masking, and the image in the place of labels
  (`S4TImageRecon`).

Every variant is trained on the source like S4T, and compared with
`BatchNormOnly` on the network that it adapts. Writes `results.json`,
`tables.md`, `metrics.csv` and `gains.png`. Options, files and interruptions are
those of `compare_methods.py`.
"""

import shared.quiet_start  # noqa: F401

# isort: split
import functools
import pathlib

from comparison.ablation import draw_variants
from comparison.command_line import make_parser
from comparison.command_line import run_program


def make_methods(config):
    """The variants, as `make_contenders` takes them."""
    _, joint = config.make_method("S4T").source_weights
    alone = {"source_weights": (0.0, joint), "mask_ratio": 0.0}
    return {
        "synchronizer": ("S4T", alone),
        "synchronizer, projections": ("S4T", {"mask_ratio": 0.0}),
        "synchronizer, image": "S4TImageRecon",
        "S4T": "S4T",
    }


def main():
    """Runs the recipe."""
    title = "Table 2: Delta_TTT of the parts of S4T, in percent"
    run_program(
        make_parser(__doc__, pathlib.Path("runs/ablate_components")),
        make_methods,
        functools.partial(draw_variants, title=title),
    )


if __name__ == "__main__":
    main()
