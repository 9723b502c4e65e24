"""Figure `style_images` for the record: the optimizers of a run paint free pictures.

Pictures made from the real photographs and paintings may not be published. So the record of a run
with these shows what the same optimizers, at the same tuned rates, make of the free stand-ins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from l2l.data.photographs import PHOTOGRAPHS
from l2l.data.styles import STYLES
from l2l.figures import style_images
from l2l.figures.style import save
from l2l.files import write_json
from l2l.results import Results

STAND_INS = [{"name": data.name, "stand_in": data.stand_in} for data in (PHOTOGRAPHS, STYLES)]
"""The records of what the pictures are made from, as `style_images` reads them."""

if TYPE_CHECKING:  # torch takes seconds to import
    from l2l.optimizers import Optimizer
    from l2l.problems import Family
    from l2l.problems.neural_art import NeuralArtFamily


def paint(results: Results, folder: Path) -> Path:
    """Paint free pictures and draw the figure; this takes minutes.

    Args:
        results: a run with the trained and tuned optimizers.
        folder: an empty one, for the pictures and the figure.

    Returns:
        The figure, a PNG file.

    Raises:
        UserError: an optimizer, a tuned rate or the weights of VGG-16 are missing.
    """
    from l2l.evaluation.evaluate import HANDCRAFTED, evaluate, write_pictures
    from l2l.evaluation.rates import final_rates
    from l2l.optimizers import make_baseline

    config, free = results.config, Results(results.config, folder)
    for record in STAND_INS:
        write_json(free.layout.data(record["name"]), record)
    for name in style_images.experiments(config):
        settings = config.experiments[name]
        shown = settings.evaluation.model_copy(update={"problems": settings.evaluation.pictures})
        settings = settings.model_copy(update={"evaluation": shown})
        opened, device = results.open_problems(settings.problems, "evaluate")
        families: dict[str, Family] = {
            key: replace(
                cast("NeuralArtFamily", family),
                photographs=PHOTOGRAPHS.free_ones,
                paintings=STYLES.free_ones,
            )
            for key, family in opened.items()
        }
        for optimizer, seed in style_images.OPTIMIZERS.items():
            subjects: Mapping[str, Optimizer]
            if seed is None:
                rates = final_rates(results.tuned_rates(name, optimizer, families))
                subjects = {key: make_baseline(optimizer, rates[key]) for key in families}
            else:
                subjects = dict.fromkeys(families, results.trained(optimizer, seed, device))
            number = HANDCRAFTED if seed is None else seed
            outcome = evaluate(name, settings, families, optimizer, subjects, number)
            path = free.layout.pictures(name, optimizer, seed)
            write_pictures(path, outcome.pictures, publishable=True)
    png, *_ = save(style_images.FIGURE.draw(free), folder / style_images.FIGURE.name)
    return png
