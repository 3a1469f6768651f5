import os
import sys

import pytest

from keras_s4t import processor
from keras_s4t.processor import ONEDNN

AVX2 = "processor\t: 0\nflags\t\t: fpu sse4_2 avx avx2 bmi2\n"
AVX = "processor\t: 0\nflags\t\t: fpu sse4_2 avx\nbugs\t\t: avx2\n"


@pytest.fixture
def cpu_info(tmp_path, monkeypatch):
    """A file in the place of the system's; TensorFlow is not imported."""
    path = tmp_path / "cpuinfo"
    monkeypatch.setattr(processor, "CPU_INFO", path)
    # So that the variable is as before afterwards.
    monkeypatch.setenv(ONEDNN, "")
    monkeypatch.delenv(ONEDNN)
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    return path


@pytest.mark.parametrize("text,value", [(AVX2, "1"), (AVX, None)])
def test_onednn_is_on_with_avx2(cpu_info, text, value):
    cpu_info.write_text(text)
    processor.enable_onednn()
    assert os.environ.get(ONEDNN) == value


def test_other_systems_are_left_alone(cpu_info):
    processor.enable_onednn()
    assert ONEDNN not in os.environ


def test_what_the_user_says_counts(cpu_info, monkeypatch):
    cpu_info.write_text(AVX2)
    monkeypatch.setenv(ONEDNN, "0")
    processor.enable_onednn()
    assert os.environ[ONEDNN] == "0"


def test_tensorflow_reads_it_only_once(cpu_info, monkeypatch):
    cpu_info.write_text(AVX2)
    monkeypatch.setitem(sys.modules, "tensorflow", object())
    processor.enable_onednn()
    assert ONEDNN not in os.environ
