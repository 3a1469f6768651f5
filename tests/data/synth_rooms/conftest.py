import pytest

from keras_s4t.data.synth_rooms.sample import render_scene

SIZE = 64


@pytest.fixture(scope="session", params=range(4))
def sample(request):
    """A rendered room of the source domain with its geometry buffers."""
    return render_scene("source", "train", request.param, SIZE)
