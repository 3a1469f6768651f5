"""From NYUD-v2 to Taskonomy, a shift of the paper's appendix (Table 7).

Commands are those of `taskonomy_nyud.py`.
"""

from configs.real_pairs import RealPair

CONFIG = RealPair(
    source="nyud_mt",
    target="taskonomy_mt/tiny_256",
    label_space="taskonomy_nyud",
)
