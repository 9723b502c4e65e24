"""The style of print, and the labels of the learned optimizers."""

import pytest
from tests.figures.fake_results import STYLE

from l2l.config.schema import FigureSettings


@pytest.fixture
def style() -> FigureSettings:
    return STYLE


@pytest.fixture
def labels() -> dict[str, str]:
    return {
        "quadratics_lstm": "LSTM",
        "mnist_paper": "LSTM (paper)",
        "mnist_long_unroll": "LSTM (long unroll)",
    }
