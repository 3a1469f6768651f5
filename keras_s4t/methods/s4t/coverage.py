"""Which labeled images are worth remembering."""

import numpy as np


def most_covering(counts, num_chosen):
    """Chooses images that show all classes, greedily.

    The next image is the one that adds most to the sum over classes of the
    square root of their pixels, so that a rare class counts more than another
    wall.

    Args:
        counts: Array of shape `(num_images, num_classes)`, the pixels of each
            class.
        num_chosen: int, at most `num_images`.

    Returns:
        list of indices, in ascending order.
    """
    counts = np.asarray(counts, "float64")
    total = np.zeros(counts.shape[1])
    left = list(range(len(counts)))
    chosen = []
    for _ in range(num_chosen):
        gains = np.sqrt(total + counts[left]).sum(axis=1)
        best = left.pop(int(np.argmax(gains)))
        chosen.append(best)
        total += counts[best]
    return sorted(chosen)


def class_counts(tasks, labels, masks):
    """Pixels of every class of every task of classes, in every image.

    Args:
        tasks: list of `Task`.
        labels: dict from task name to an array of labels.
        masks: dict from task name to an array of shape `(num_images, height,
            width, 1)`.

    Returns:
        Array of shape `(num_images, num_classes)`. Without such a task, all
        images count the same.
    """
    columns = [
        ((labels[task.name] == number) & (masks[task.name][..., 0] > 0)).sum(
            axis=(1, 2)
        )
        for task in tasks
        if task.label.is_classes
        for number in range(task.num_outputs)
    ]
    if not columns:
        return np.ones((len(next(iter(labels.values()))), 1))
    return np.stack(columns, axis=1)
