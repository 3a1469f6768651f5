"""From Taskonomy to PASCAL-Context, the paper's second shift (Table 1).

PASCAL-Context has no depth, so there are three tasks. Commands are those of
`taskonomy_nyud.py`.
"""

from configs.real_pairs import RealPair

CONFIG = RealPair(
    source="taskonomy_mt/tiny_256",
    target="pascal_mt",
    label_space="taskonomy_pascal",
)
