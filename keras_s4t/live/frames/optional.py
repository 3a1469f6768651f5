import importlib


def required(module, extra):
    """Imports a module, or raises an `ImportError` that names its extra.

    Args:
        module: string.
        extra: string, the extra of this package that installs it.

    Returns:
        The module.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"This needs `{module}`. Install it with "
            f"`pip install 'keras-s4t[{extra}]'`."
        ) from error
