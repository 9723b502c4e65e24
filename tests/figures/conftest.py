"""The style of print, and the labels of the learned optimizers."""

from collections.abc import Iterator

import pytest
from tests.figures.fake_results import STYLE

from l2l.config.schema import FigureSettings
from l2l.figures.style import look_of


@pytest.fixture(autouse=True, scope="session")
def _look() -> Iterator[None]:
    with look_of(STYLE):
        yield


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
