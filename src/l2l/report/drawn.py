"""What the workflow's rules need to know of figures and reports.

To ask them imports what draws them, which takes longer than all else when Snakemake starts. So the
answers for the last few configurations are kept until the package or a template changes.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, TypedDict

from l2l.config import Config
from l2l.config.inputs import digest, drawing_inputs
from l2l.files import write_json
from l2l.layout import Layout
from l2l.report.execute import NOTEBOOKS

KEPT = 8  # answers, of some 30 kB each


class Sources(TypedDict):
    """The files that a figure or a report is made from, and a digest of what it shows besides."""

    inputs: list[str]
    shows: str


class DrawnFigure(Sources):
    """A figure with its words."""

    title: str
    caption: str


class Drawn(TypedDict):
    """The figures and reports by name."""

    figures: dict[str, DrawnFigure]
    reports: dict[str, Sources]


def drawn(config: Config, file: Path) -> Drawn:
    """The figures and reports of a configuration.

    Args:
        config: the configuration.
        file: keeps the latest answers.
    """
    package = Path(__file__).parents[1]
    files = [*package.rglob("*.py"), *NOTEBOOKS.glob("*.py")]
    times = sorted((str(path), path.stat().st_mtime_ns) for path in files)
    sources = digest({"times": times})
    key = digest(config.model_dump(mode="json"))
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        kept: dict[str, Drawn] = found["answers"] if found["sources"] == sources else {}
        if key in kept:
            return kept[key]
    except (OSError, ValueError, KeyError, TypeError):
        kept = {}

    from l2l.figures.base import figures
    from l2l.report.notebook import inputs, reports
    from l2l.report.sections import section_of
    from l2l.results import Results

    layout, results = Layout(config.run_name), Results(config)
    answer: Drawn = {"figures": {}, "reports": {}}
    for name, figure in figures(config).items():
        everything = figure.logs or figure.claims or bool(figure.measurements)
        shown = _shown(config, figure.experiments, everything)
        if figure.claims:
            shown |= {"briefs": {key: claim.brief for key, claim in config.claims.items()}}
        answer["figures"][name] = {
            "title": figure.title,
            "caption": figure.caption,
            "inputs": [*map(str, figure.inputs(config, layout))],
            "shows": digest(shown),
        }
    for name in reports(config):
        section = section_of(name, results)
        shown = _shown(config, section.experiments, any(f.measurements for f in section.figures))
        said = [section.title, section.about, *(figure.caption for figure in section.figures)]
        claims = [config.claims[claim].model_dump(mode="json") for claim in section.keys]
        answer["reports"][name] = {
            "inputs": [*map(str, inputs(name, config))],
            "shows": digest(shown | {"said": said, "claims": claims}),
        }
    latest = dict([*kept.items(), (key, answer)][-KEPT:])
    write_json(file, {"sources": sources, "answers": latest})
    return answer


def _shown(config: Config, experiments: Collection[str], everything: bool) -> dict[str, Any]:
    """What is drawn beyond tables, of these experiments or of everything."""
    shown = drawing_inputs(config)
    if everything:
        return shown
    learned = {recipe for name in experiments for recipe in config.experiments[name].learned}
    return {
        "figures": shown["figures"],
        "labels": {recipe: shown["labels"][recipe] for recipe in sorted(learned)},
        "experiments": {name: shown["experiments"][name] for name in experiments},
    }
