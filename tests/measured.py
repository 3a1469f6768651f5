"""A measured point of the benchmark, for tests."""


def make_measured(steps=1, flops=40):
    """The machine is four times slower in the second round."""
    literal = {"seconds": [8.0, 32.0, 10.0], "rates": [9.0, 2.5, 10.0]}
    fast = {"seconds": [4.0, 20.0, 4.0], "rates": [10.0, 2.0, 8.0]}
    common = {"flops": flops, "parameters": 1, "device": "CPU"}
    return {
        "operation": "adapt",
        "size": [64, 96],
        "batch_size": 8,
        "num_tasks": 4,
        "dtype": "float32",
        "steps": steps,
        "contenders": {
            "literal": {**common, **literal, "peak_memory": 4e9},
            "fast": {**common, **fast, "peak_memory": 1e9},
        },
    }
