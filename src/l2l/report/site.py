"""The page that shows everything: results/<protocol>/index.html, one file that needs no network."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import jinja2

from l2l.config import Config, config_folder
from l2l.config.claims import Claim
from l2l.figures.catalog import figures
from l2l.registry import FIGURES
from l2l.report import catching_up, losses, networks, tables, verdicts
from l2l.report.captions import CAPTIONS, alternative, caption
from l2l.report.facts import data_used, facts
from l2l.report.html import data_uri, is_wide, table
from l2l.report.report import NOTEBOOKS
from l2l.report.words import between, count
from l2l.results import Results

TEMPLATES = Path(__file__).parent
SMOKE = "smoke"
FIXED = [name for name in FIGURES if name != "unroll"]  # which has a section of its experiments


def build_page(config: Config, root: Path = Path()) -> str:
    """The page as HTML text.

    Args:
        config: of the run that is shown.
        root: the run's working directory, which holds results/ and figures/.

    Returns:
        HTML for results/<protocol>/index.html; links are relative to that place.

    Raises:
        UserError: a table, figure or report is missing; names it and the command that makes it.
    """
    results = Results(config, root)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    beside = _companions(config)
    fixed = [name for name in FIXED if name not in itertools.chain(*beside.values())]
    return environment.get_template("page.html").render(
        protocol=config.protocol,
        smoke=config.protocol == SMOKE,
        released=_released(results),
        overrides=_overrides(config),
        stand_ins=_stand_ins(results),
        sections=_sections(results),
        training=[_figure(name, results) for name in fixed if CAPTIONS[name].training],
        diagrams=[
            _figure(name, results)
            for name in fixed
            if not (CAPTIONS[name].training or CAPTIONS[name].measured)
        ],
        badges={
            name.replace(" ", "_"): verdicts.badge(name)
            for name in ("replicated", "not replicated", "inconclusive")
        },
        **_waiting(results),
        confidence=f"{100 * config.figures.interval:g} %",
        meta_seeds=between(
            [config.recipes[name].meta_seeds for name in config.used_recipes()], "meta-seed"
        ),
        runs=table(tables.runs(results.runs(), config), "Meta-trainings"),
        provenance=_provenance(results),
        **_times(results),
        config_link=_link(results.layout.config, results)
        if (root / results.layout.config).is_file()
        else None,
    )


def _released(results: Results) -> str:
    """Of which commits the optimizers are that this run took; empty where it trained its own."""
    if results.config.optimizers == "trained":
        return ""
    return ", ".join(sorted(set(results.runs()["commit"].astype(str))))


def _overrides(config: Config) -> str:
    """What Snakemake has to be told to redraw a figure of this run; empty for the default."""
    chosen = {"protocol": config.protocol, "optimizers": config.optimizers}
    usual = {"protocol": "default", "optimizers": "trained"}
    named = [f"{key}={value}" for key, value in chosen.items() if value != usual[key]]
    return f" --config {' '.join(named)}" if named else ""


def _sections(results: Results) -> list[dict[str, Any]]:
    """A section for each figure of experiments, and of a measurement.

    A claim that several decide has its tables in the last of them, and a sentence in each.
    """
    measured = [name for name in FIXED if CAPTIONS[name].measured]
    names = (*results.config.figure_experiments(), *measured)
    about = {name: verdicts.about_figure(name, results) for name in names}
    home = {key: name for name, claims in about.items() for key in claims}
    return [
        _section(name, claims, [key for key, place in home.items() if place == name], results)
        for name, claims in about.items()
    ]


def _section(
    name: str, claims: dict[str, Claim], at_home: list[str], results: Results
) -> dict[str, Any]:
    """What the paper claims, what came out, pictures and tables.

    Args:
        name: of the figure.
        claims: those that it decides.
        at_home: keys of those whose tables it shows.
        results: the run.
    """
    config, judged = results.config, results.claims()
    experiments = config.figure_experiments().get(name, [])
    statements = verdicts.statements(results.config)
    overall = judged[judged["claim"].isin(at_home) & judged["deciding"]]
    return {
        "name": name,
        "title": caption(name, config).title,
        "claimed": verdicts.claimed(claims),
        "found": verdicts.found(judged, claims, config),
        "glance": [
            {
                "key": key,
                "statement": statements[str(key)],
                "learned": verdicts.learned(rows, config),
                "badges": [verdicts.badge(verdict) for verdict in rows["verdict"]],
            }
            for key, rows in overall.groupby("claim", sort=False)
        ],
        "figures": [_figure(each, results) for each in (name, *_companions(config).get(name, []))],
        "claims": [verdicts.block(judged, key, config) for key in overall["claim"].unique()],
        "experiments": [_experiment(each, results) for each in experiments],
        "report": _report(name, results),
    }


def _companions(config: Config) -> dict[str, list[str]]:
    """Figure of a section -> the other figures that stand in it."""
    drawn, sections = figures(config), config.figure_experiments()
    found: dict[str, list[str]] = {}
    for name, shown in CAPTIONS.items():
        first = shown.experiments[0] if shown.experiments else None
        own = config.experiments[first].figure if first in config.experiments else shown.beside
        if name in drawn and own in sections:
            found.setdefault(own, []).append(name)
    return found


def _figure(name: str, results: Results) -> dict[str, Any]:
    stem, shown = results.layout.figure(name), caption(name, results.config)
    png = results.figure(name).with_suffix(".png")
    return {
        "name": name,
        "title": shown.title,
        "seen": shown.seen,
        "facts": facts(name, results),
        "alt": alternative(name, results.config),
        "uri": data_uri(png),
        "wide": is_wide(png.read_bytes(), results.config.figures),
        "png": _link(stem.with_suffix(".png"), results),
        "pdf": _link(stem.with_suffix(".pdf"), results),
    }


def _experiment(name: str, results: Results) -> dict[str, Any]:
    config = results.config
    settings, curves, tuning = config.experiments[name], results.curves(name), results.tuning(name)
    if networks.are_several(name, config):
        summary = networks.summary(curves, name, config)
        found = {f"loss at step {settings.horizon}": networks.final_losses(curves, name, config)}
        rates = networks.rates(tuning, name, config)
    else:
        summary = losses.summary(curves, name, config)
        kinds = losses.kinds(curves)
        found = {text: losses.table(curves, column, name, config) for column, text in kinds.items()}
        if [*kinds] == ["loss"]:  # no minibatches, in whose noise a first step would say little
            found[catching_up.heading(name, config)] = catching_up.table(curves, name, config)
        rates = tables.rates(tuning, name, config)
    return {
        "title": settings.title,
        "measure": losses.kinds(curves).get(losses.judged(name, config), "loss"),
        "summary": summary,
        "losses": [table(rows, f"{settings.title}: {text}") for text, rows in found.items()],
        "tuned_on": count(settings.tuning.problems, "problem"),
        "rates": table(rates, f"Learning rates on {settings.title}"),
    }


def _waiting(results: Results) -> dict[str, Any]:
    waiting = verdicts.waiting(results.claims(), results.config)
    return {"waiting": table(waiting, "Claims not yet run"), "waiting_count": len(waiting)}


def _report(name: str, results: Results) -> dict[str, str] | None:
    """Links to a figure's executed report, where it has a template."""
    if not (config_folder().parent / NOTEBOOKS / f"{name}.py").exists():
        return None
    results.report(name)
    stem = results.layout.report(name)
    return {
        "html": _link(stem.with_suffix(".html"), results),
        "ipynb": _link(stem.with_suffix(".ipynb"), results),
    }


def _stand_ins(results: Results) -> list[str]:
    """A line for each dataset that another one stands in for."""
    used = data_used(results.config.experiments, results)
    return [text for text in used if text.startswith("STAND-IN")]


def _provenance(results: Results) -> list[tuple[str, str]]:
    found, config = results.provenance(), results.config
    commits = sorted(set(results.runs()["commit"].astype(str)))
    machine = found["machine"]
    return [
        ("protocol", f"{config.protocol}, seed {config.seed}"),
        ("commit", f"{found['commit']} (this page); {', '.join(commits)} (meta-training)"),
        ("data", "; ".join(data_used(config.experiments, results))),
        (
            "machine",
            f"{machine['processor']}, {count(machine['cores'], 'core')}, {machine['system']}",
        ),
        ("Python", found["python"]),
        ("packages", ", ".join(f"{key} {value}" for key, value in found["packages"].items())),
    ]


def _times(results: Results) -> dict[str, Any]:
    seconds = results.seconds()
    stages = tables.stages(seconds)
    return {"has_times": not seconds.empty, "stages": table(stages, "Time of each stage")}


def _link(path: Path, results: Results) -> str:
    return Path(os.path.relpath(path, results.layout.page.parent)).as_posix()
