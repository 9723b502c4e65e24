"""What the pictures of Neural Art were made from, in short phrases below a caption."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from l2l.config.experiments import Experiment
from l2l.config.problems import NeuralArtSettings
from l2l.data.styles import PAINTINGS
from l2l.figures import style_images
from l2l.report.words import between, listed
from l2l.results import Results


def shown(results: Results) -> list[str]:
    """What figure `style_images` shows.

    Args:
        results: the run; the records of its datasets must be there.

    Returns:
        Phrases: who has to be named, how many photographs, the styles, whose pictures.
    """
    config, experiments = results.config, style_images.experiments(results.config)
    labels = config.labels()
    entries = [config.experiments[name] for name in experiments]
    kept = [_kept(entry) for entry in entries]
    return [
        *style_images.attributions(made_from(results)),
        f"{between(kept, 'test photograph')} a part, the first ones",
        *(text for name in experiments for text in _parts(name, results, kept=True)),
        *(
            f"{labels.get(key, key)}: meta-seed {seed}"
            for key, seed in style_images.OPTIMIZERS.items()
            if seed is not None
        ),
    ]


def styles(experiments: Sequence[str], results: Results) -> list[str]:
    """The styles of every problem of Neural Art; nothing for others.

    Args:
        experiments: of a figure.
        results: the run.
    """
    return [text for name in experiments for text in _parts(name, results)]


def may_be_published(results: Results) -> bool:
    """Whether pictures made in this run may: only if all of what they are made from is free.

    Both the records of the datasets and the files of the pictures have to say so.
    """
    from l2l.evaluation.pictures import may_be_published as is_free  # imports torch

    files = (
        results.root / results.layout.pictures(experiment, *optimizer)
        for experiment in style_images.experiments(results.config)
        for optimizer in style_images.OPTIMIZERS.items()
    )
    free = style_images.may_be_published(made_from(results))
    return free and all(path.exists() and is_free(path) for path in files)


def made_from(results: Results) -> list[dict[str, Any]]:
    """The records of the photographs and the styles."""
    return [results.dataset(name) for name in style_images.DATASETS]


def _parts(experiment: str, results: Results, kept: bool = False) -> Iterator[str]:
    """ "New styles, 128 x 128: styles wave and udnie", of the test or of what is kept."""
    entry = results.config.experiments[experiment]
    for problem in entry.problems:
        settings = results.config.problems[problem]
        if not isinstance(settings, NeuralArtSettings):
            continue
        count = _kept(entry) if kept else entry.evaluation.problems
        names = [_name(style, results) for style in settings.styles[:count]]
        noun = "style" if len(names) == 1 else "styles"
        yield f"{entry.title}: {noun} {listed(names)}"


def _kept(entry: Experiment) -> int:
    settings = entry.evaluation
    return min(settings.pictures, settings.problems, settings.batch)


def _name(style: str, results: Results) -> str:
    """A style as a reader knows it; what stands in for it under its own name."""
    name = style.replace("_", " ")
    if not results.dataset("styles")["stand_in"]:
        return name
    return f"{PAINTINGS[style].stand_in.replace('_', ' ')} (in the place of {name})"
