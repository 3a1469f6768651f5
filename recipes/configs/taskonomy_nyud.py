"""From Taskonomy to NYUD-v2, the paper's first shift (Table 1).

Build both datasets with `python -m keras_s4t.data build`, then:

    python recipes/train_source.py --config taskonomy_nyud --data-dir DATA
    python recipes/adapt_online.py --config taskonomy_nyud --data-dir DATA \
        --model runs/source/source.keras
"""

from configs.real_pairs import RealPair

CONFIG = RealPair(
    source="taskonomy_mt/tiny_256",
    target="nyud_mt",
    label_space="taskonomy_nyud",
)
