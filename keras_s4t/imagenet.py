"""Mean and standard deviation of ImageNet's colors, scaled to [0, 1]."""

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)

# Above what any image in [0, 1], or normalized by these colors, reaches.
BRIGHTEST_NORMALIZED = 10.0
