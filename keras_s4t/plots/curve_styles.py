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


def curve_styles(names, controls):
    """Line styles that are distinguishable in color and in gray.

    Args:
        names: Names of the curves, in the order of the legend.
        controls: Names of the curves to draw in gray, without markers.

    Returns:
        dict from name to keyword arguments of `matplotlib.axes.Axes.plot`.
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
