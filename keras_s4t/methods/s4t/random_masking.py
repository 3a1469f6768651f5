import keras
from keras import ops

from keras_s4t.layers.seeded_layer import SeededLayer

MASK_STRATEGIES = ("shared", "random", "disjoint", "hide_tasks")


@keras.saving.register_keras_serializable("keras_s4t")
class RandomMasking(SeededLayer):
    """Draws the visible patches of task latents.

    The four strategies of the S4T paper (Table 3, Figure 5), for `L` patches,
    `K` tasks and `n = int(L * (1 - mask_ratio))`:

    - `"shared"`: one set of `n` visible patches for all tasks.
    - `"random"`: `n` visible patches drawn independently for each task.
    - `"disjoint"`: no patch is visible for two tasks. Each task has
      `min(n, L // K)` patches of one permutation.
    - `"hide_tasks"`: `round(mask_ratio * K)` whole tasks, at least one and at
      most `K - 1`, are hidden.

    A new mask is drawn at every call, also in inference.

    Args:
        num_tokens: int. `L`, the number of patches.
        task_names: Names of the tasks. Their order does not matter.
        mask_ratio: float in [0, 1). Share of hidden patches or tasks.
        strategy: `"shared"`, `"random"`, `"disjoint"` or `"hide_tasks"`.
        seed: Optional int. Seed of the random draws.

    Raises:
        ValueError: If `mask_ratio` is outside [0, 1) or leaves no patch
            visible, or if `strategy` is unknown.
    """

    def __init__(
        self,
        num_tokens,
        task_names,
        mask_ratio=0.8,
        strategy="shared",
        seed=None,
        **kwargs,
    ):
        super().__init__(seed, **kwargs)
        if not 0 <= mask_ratio < 1:
            raise ValueError(
                "`mask_ratio`, the hidden share, must be in the range [0, 1). "
                f"Received: mask_ratio={mask_ratio}"
            )
        if strategy not in MASK_STRATEGIES:
            raise ValueError(
                f"`mask_strategy` must be one of {MASK_STRATEGIES}. "
                f"Received: mask_strategy={strategy!r}"
            )
        num_visible = int(num_tokens * (1 - mask_ratio))
        if num_visible < 1:
            raise ValueError(
                "`mask_ratio` must leave at least one patch visible. "
                f"Received: mask_ratio={mask_ratio}, num_tokens={num_tokens}"
            )
        # === Config ===
        self.num_tokens = num_tokens
        self.task_names = sorted(task_names)
        self.mask_ratio = mask_ratio
        self.strategy = strategy
        self.num_visible = num_visible

    def draw(self, shape):
        """Uniform noise in [0, 1) of the given shape."""
        return keras.random.uniform(shape, seed=self.seed_generator)

    def visible_tokens(self, batch_size):
        """Draws a shared mask as indices, for encoders that drop hidden tokens.

        Returns:
            Pair of int tensors: the indices of the visible tokens, of shape
            `(batch_size, num_visible)`, and the inverse of the permutation
            that moves them to the front, of shape `(batch_size, num_tokens)`.
        """
        order = ops.argsort(self.draw((batch_size, self.num_tokens)), axis=1)
        return order[:, : self.num_visible], ops.argsort(order, axis=1)

    def visible_maps(self, batch_size):
        """Draws a mask per task.

        Returns:
            dict from task name to a float tensor of shape `(batch_size,
            num_tokens)`: 1 where the task is visible, 0 where it is hidden.
        """
        maps = getattr(self, f"_{self.strategy}_maps")(batch_size)
        return dict(zip(self.task_names, maps, strict=True))

    def _ranks(self, shape):
        """Ranks of entries in a random order along the last axis."""
        return ops.argsort(ops.argsort(self.draw(shape), axis=-1), axis=-1)

    def _shared_maps(self, batch_size):
        ranks = self._ranks((batch_size, self.num_tokens))
        visible = ops.cast(ranks < self.num_visible, "float32")
        return [visible] * len(self.task_names)

    def _random_maps(self, batch_size):
        num_tasks = len(self.task_names)
        ranks = self._ranks((batch_size, num_tasks, self.num_tokens))
        visible = ops.cast(ranks < self.num_visible, "float32")
        return [visible[:, i] for i in range(num_tasks)]

    def _disjoint_maps(self, batch_size):
        num_tasks = len(self.task_names)
        count = min(self.num_visible, self.num_tokens // num_tasks)
        ranks = self._ranks((batch_size, self.num_tokens))
        return [
            ops.cast(ranks // count == i, "float32") for i in range(num_tasks)
        ]

    def _hide_tasks_maps(self, batch_size):
        num_tasks = len(self.task_names)
        num_hidden = max(1, round(self.mask_ratio * num_tasks))
        num_hidden = min(num_hidden, num_tasks - 1)
        ranks = self._ranks((batch_size, num_tasks))
        visible = ops.cast(ranks >= num_hidden, "float32")
        return [
            ops.repeat(visible[:, i : i + 1], self.num_tokens, axis=1)
            for i in range(num_tasks)
        ]

    def get_config(self):
        return {
            **super().get_config(),
            "num_tokens": self.num_tokens,
            "task_names": self.task_names,
            "mask_ratio": self.mask_ratio,
            "strategy": self.strategy,
        }
