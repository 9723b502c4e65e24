"""What a record paints is made from free pictures, whatever the run was made from."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tests.problems.art import family
from tests.small import lstm_settings, random_phi

from l2l.config import load_config
from l2l.evaluation.evaluate import may_be_published, read_pictures
from l2l.layout import Layout
from l2l.optimizers.weights import make_optimizer
from l2l.report import free_pictures
from l2l.results import Results


class Trained(Results):
    """A run with an optimizer and tuned rates, and data that may not be published."""

    def open_problems(self, names, stage):
        return {name: family() for name in names}, torch.device("cpu")

    def trained(self, recipe, seed, device):
        settings = lstm_settings()
        return make_optimizer(settings, random_phi(settings, dtype=torch.float32))

    def tuned_rates(self, experiment, baseline, families):
        return {"final_loss": dict.fromkeys(families, 0.05)}


def test_the_pictures_are_free_and_may_be_published(tmp_path: Path) -> None:
    changes = {"steps": 2, "horizon": 2, "evaluation": {"problems": 8, "pictures": 2}}
    config = load_config(
        settings=["figures.dpi=50"],
        overrides={"experiments": {"neural_art": changes, "neural_art_new": changes}},
    )
    png = free_pictures.paint(Trained(config), tmp_path)
    layout = Layout(config.run_name, tmp_path)
    for experiment in ("neural_art", "neural_art_new"):
        learned = layout.pictures(experiment, "neural_art", 0)
        assert may_be_published(learned)
        ours = read_pictures(learned)[experiment]
        adams = read_pictures(layout.pictures(experiment, "adam", None))[experiment]
        assert ours.content.shape == (2, 16, 16, 3), "as many as are shown"
        content = free_pictures.PHOTOGRAPHS.free("test", 0)
        expected = Image.fromarray(content).resize((16, 16), Image.Resampling.LANCZOS)
        np.testing.assert_array_equal(ours.content[0], np.asarray(expected))
        assert torch.equal(ours.content, adams.content)
        assert not torch.equal(ours.styled, adams.styled)
        assert not torch.equal(ours.styled, ours.content)
    assert Image.open(png).format == "PNG"
