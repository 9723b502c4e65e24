"""The style of print, and the labels of the learned optimizers."""

import pytest
from tests.figures.fake_tables import Settings


@pytest.fixture
def style() -> Settings:
    return Settings()


@pytest.fixture
def labels() -> dict[str, str]:
    return {
        "quadratics_lstm": "LSTM",
        "mnist_paper": "LSTM (paper)",
        "mnist_long_unroll": "LSTM (long unroll)",
    }
