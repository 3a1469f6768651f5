"""What two models see in a frame, side by side, as one image."""

import numpy as np
from PIL import Image
from PIL import ImageDraw
from PIL import ImageFont

# In pixels.
LEAST_HEIGHT, GREATEST_HEIGHT = 128, 240
GAP, HEADING, LINE = 4, 54, 18
FONT_SIZE = 11


class BeforeAfter:
    """Draws frames with the predictions of several models.

    A row per model, a column per task. The pictures of a task share a range of
    values, that of all frames so far, so that colors mean the same in all.

    Args:
        tasks: list of `Task`.
    """

    def __init__(self, tasks):
        self._tasks = tasks
        self._ranges = {}
        self._font = ImageFont.load_default(FONT_SIZE)

    def draw(self, image, predictions, text):
        """Draws a frame.

        Args:
            image: uint8 array of shape `(height, width, 3)`.
            predictions: dict from the heading of a row to a dict from task
                name to values without a batch axis.
            text: string, the line below.

        Returns:
            uint8 array of shape `(height, width, 3)`, of the same size for all
            frames of one size.
        """
        values = next(iter(next(iter(predictions.values())).values()))
        height, width = _cell(values.shape[:2])
        columns, rows = 1 + len(self._tasks), len(predictions)
        sheet = Image.new(
            "RGB",
            (
                columns * (width + GAP) + GAP + HEADING,
                rows * (height + GAP) + 2 * LINE,
            ),
            "white",
        )
        pen = ImageDraw.Draw(sheet)
        self._write(pen, (GAP, 2), "Image", width)
        self._paste(sheet, image, (GAP, LINE), (height, width))
        for i, heading in enumerate(predictions):
            top = LINE + i * (height + GAP) + height // 2 - FONT_SIZE // 2
            self._write(pen, (2 * GAP + width, top), heading, HEADING)
        for j, task in enumerate(self._tasks):
            left = HEADING + GAP + (1 + j) * (width + GAP)
            self._write(pen, (left, 2), task.title, width)
            drawn = [values[task.name] for values in predictions.values()]
            value_range = self._range(task, drawn)
            for i, array in enumerate(drawn):
                picture = task.picture(array, value_range)
                top = LINE + i * (height + GAP)
                self._paste(sheet, picture, (left, top), (height, width))
        self._write(
            pen, (GAP, sheet.height - LINE + 1), text, sheet.width - GAP
        )
        return np.asarray(sheet)

    def _range(self, task, arrays):
        """The range of the values of a task in all frames so far."""
        found = task.value_range(arrays)
        before = self._ranges.get(task.name)
        if found is None or not any(np.isfinite(a).any() for a in arrays):
            return before or found
        if before is not None:
            found = min(found[0], before[0]), max(found[1], before[1])
        self._ranges[task.name] = found
        return found

    def _paste(self, sheet, picture, corner, size):
        picture = Image.fromarray(np.ascontiguousarray(picture))
        # Larger pixels stay sharp.
        enlarges = picture.height <= size[0]
        way = Image.Resampling.NEAREST if enlarges else Image.Resampling.BOX
        sheet.paste(picture.resize(size[::-1], way), corner)

    def _write(self, pen, corner, text, width):
        while text and pen.textlength(text, self._font) > width:
            text = text[:-1]
        pen.text(corner, text, "black", self._font)


def _cell(size):
    """Height and width of a picture that is neither small nor large."""
    height, width = size
    if height > GREATEST_HEIGHT:
        scale = GREATEST_HEIGHT / height
        return GREATEST_HEIGHT, max(1, round(width * scale))
    scale = max(1, round(LEAST_HEIGHT / height))
    return height * scale, width * scale
