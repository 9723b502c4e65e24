"""The page that shows everything: results/<run>/index.html, one file that needs no network."""

from __future__ import annotations

import os
from pathlib import Path

import mistune
from markupsafe import Markup

from l2l.config import Config, load_config
from l2l.evaluation.claims import SMOKE
from l2l.evaluation.summary import DIVERGED_ABOVE
from l2l.figures.base import figures
from l2l.report import claims, runs
from l2l.report.notebook import BARELY_TRAINED, reports
from l2l.report.sections import ShownFigure, data_used, sections, stand_ins
from l2l.report.table import TEMPLATES, between
from l2l.results import Results


def build_page(config: Config, root: Path = Path()) -> str:
    """The page as HTML text.

    Args:
        config: of the run that is shown.
        root: the run's working directory, which holds results/ and figures/.

    Returns:
        HTML for results/<run>/index.html; links are relative to that place.

    Raises:
        UserError: a table, figure or report is missing; names it and the command that makes it.
    """
    results = Results(config, root)
    table = results.claims()
    parts = sections(results, table)
    written = {
        part.name: [name for name in reports(config) if name in {f.name for f in part.figures}]
        for part in parts
    }
    for name in (name for names in written.values() for name in names):
        for suffix in (".html", ".ipynb"):
            results.existing(results.layout.report(name).with_suffix(suffix), f"report {name}")
    within = {figure.name for part in parts for figure in part.figures}
    beside = [figure for figure in figures(config).values() if figure.name not in within]
    seeds = [config.recipes[name].meta_seeds for name in config.used_recipes()]
    folder = results.layout.page.parent
    return TEMPLATES.get_template("page.html").render(
        markdown=markdown,
        protocol=config.protocol,
        smoke=config.protocol == SMOKE,
        barely_trained=BARELY_TRAINED,
        released=config.optimizers == "released",
        taken=_taken(results),
        overrides=_overrides(config),
        stand_ins=stand_ins(results),
        glance=claims.glance(table, config),
        verdicts=[ShownFigure(figure, results) for figure in beside if figure.claims],
        sections=parts,
        reports=written,
        training=[ShownFigure(figure, results) for figure in beside if figure.logs],
        diagrams=[
            ShownFigure(figure, results) for figure in beside if not (figure.logs or figure.claims)
        ],
        how_judged=claims.HOW_JUDGED,
        diverged_above=f"{100 * DIVERGED_ABOVE - 100:.0f} %",
        meta_seeds=between(seeds, "meta-seed"),
        runs=runs.meta_trainings(results.runs(), config),
        provenance=_provenance(results),
        layout=results.layout,
        link=lambda path: Path(os.path.relpath(path, folder)).as_posix(),
        has_config=results.layout.config.is_file(),
    )


def markdown(text: str) -> Markup:
    """Markdown as HTML; HTML within it is escaped."""
    return Markup(mistune.create_markdown(escape=True)(text))


def _taken(results: Results) -> dict[str, str]:
    """What this run took from the record: recipes, their commits, experiments; empty: nothing."""
    config, table = results.config, results.runs()
    recipes = [key for key in config.used_recipes() if config.recipes[key].origin == "released"]
    tuned = [
        entry.title
        for entry in config.experiments.values()
        if entry.baselines and entry.tuning.origin == "released"
    ]
    if not recipes and not tuned:
        return {}
    commits = sorted(set(table[table["recipe"].isin(recipes)]["commit"].astype(str)))
    return {
        "recipes": ", ".join(recipes),
        "commits": ", ".join(commits),
        "experiments": ", ".join(dict.fromkeys(tuned)),
    }


def _overrides(config: Config) -> str:
    """What Snakemake needs to redraw a figure of this run; empty for the default."""
    chosen = {"protocol": config.protocol, "optimizers": config.optimizers}
    usual = {"protocol": "default", "optimizers": load_config(config.protocol).optimizers}
    named = [f"{key}={value}" for key, value in chosen.items() if value != usual[key]]
    return f" --config {' '.join(named)}" if named else ""


def _provenance(results: Results) -> dict[str, str]:
    content, config = results.provenance(), results.config
    commits = sorted(set(results.runs()["commit"].astype(str)))
    machine = content["machine"]
    return {
        "protocol": f"{config.protocol}, seed {config.seed}",
        "commit": f"{content['commit']} (this page); {', '.join(commits)} (meta-training)",
        "data": "; ".join(data_used(config.experiments, results)),
        "machine": f"{machine['processor']}, {between([machine['cores']], 'core')}, "
        f"{machine['system']}",
        "Python": content["python"],
        "packages": ", ".join(f"{key} {value}" for key, value in content["packages"].items()),
    }
