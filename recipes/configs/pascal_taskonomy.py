"""From PASCAL-Context to Taskonomy, a shift of the paper's appendix (Table 7).

PASCAL-Context has no depth, so there are three tasks. Commands are those of
`taskonomy_nyud.py`.
"""

from configs.real_pairs import RealPair

CONFIG = RealPair(
    source="pascal_mt",
    target="taskonomy_mt/tiny_256",
    label_space="taskonomy_pascal",
)
