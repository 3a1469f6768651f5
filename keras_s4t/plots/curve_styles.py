# The colors of Okabe and Ito that are dark enough for lines on white, and
# three more that remain distinguishable with color vision deficiencies.
COLORS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#332277",
    "#661100",
    "#000000",
)
CONTROL_COLORS = ("#8C8C8C", "#5A5A5A", "#BDBDBD")
_DASHES = ("-", (0, (5, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (1.2, 1.2)))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*", "h")


def better_arrow(higher_is_better):
    """Mathtext, which is available with every text font."""
    return r"$\uparrow$" if higher_is_better else r"$\downarrow$"


def style_panel(panel):
    """Styles axes as a light grid without a frame."""
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(labelsize=7)
    panel.grid(color="#E6E6E6", linewidth=0.5)
    panel.set_axisbelow(True)


def curve_styles(names, controls):
    """Line styles that are distinguishable in color and in gray.

    Those of `controls` are gray, without markers. Returns a dict from name to
    keyword arguments of `matplotlib.axes.Axes.plot`.
    """
    styles = {}
    for index, name in enumerate(n for n in names if n not in controls):
        styles[name] = {
            "color": COLORS[index % len(COLORS)],
            "linestyle": _DASHES[index % len(_DASHES)],
            "marker": _MARKERS[index % len(_MARKERS)],
        }
    for index, name in enumerate(n for n in names if n in controls):
        styles[name] = {
            "color": CONTROL_COLORS[index % len(CONTROL_COLORS)],
            "linestyle": _DASHES[(index + 1) % len(_DASHES)],
            "zorder": 1.5,  # below the methods
        }
    return styles
