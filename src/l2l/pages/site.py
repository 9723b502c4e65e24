"""The page that shows everything: results/<protocol>/index.html, one file that needs no network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import jinja2

from l2l.config import Config, config_folder
from l2l.pages import losses, tables, verdicts
from l2l.pages.captions import CAPTIONS, alternative, data_used, facts
from l2l.pages.html import data_uri, table
from l2l.pages.report import NOTEBOOKS
from l2l.pages.results import Results
from l2l.pages.words import count

TEMPLATES = Path(__file__).parent
SMOKE = "smoke"


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
    return environment.get_template("page.html").render(
        protocol=config.protocol,
        smoke=config.protocol == SMOKE,
        stand_ins=_stand_ins(results),
        figures=[_figure(name, results) for name in CAPTIONS],
        experiments=[_experiment(name, results) for name in config.experiments],
        **_claims(results),
        confidence=f"{100 * config.figures.interval:g} %",
        tuning_problems=config.tuning.problems,
        meta_seeds=config.meta_seeds,
        runs=table(tables.runs(results.runs(), config), "Meta-trainings"),
        reports=[
            _report(name, results)
            for name in config.experiments
            if (config_folder().parent / NOTEBOOKS / f"{name}.py").exists()
        ],
        provenance=_provenance(results),
        **_times(results),
        config_link=_link(results.layout.config, results)
        if (root / results.layout.config).is_file()
        else None,
    )


def _figure(name: str, results: Results) -> dict[str, Any]:
    stem = results.layout.figure(name)
    caption = CAPTIONS[name]
    return {
        "name": name,
        "title": caption.title,
        "seen": caption.seen,
        "facts": facts(name, results),
        "alt": alternative(name, results.config),
        "uri": data_uri(results.figure(name).with_suffix(".png")),
        "png": _link(stem.with_suffix(".png"), results),
        "pdf": _link(stem.with_suffix(".pdf"), results),
        "diagram": not (caption.experiment or caption.training),
    }


def _experiment(name: str, results: Results) -> dict[str, Any]:
    config = results.config
    settings, curves = config.experiments[name], results.curves(name)
    kinds = losses.kinds(curves)
    return {
        "title": settings.title,
        "horizon": settings.horizon,
        "problems": curves["problem"].nunique(),
        "measure": next(iter(kinds.values())),
        "summary": losses.summary(curves, name, config),
        "losses": [
            table(losses.table(curves, column, name, config), f"{settings.title}: {text}")
            for column, text in kinds.items()
        ],
        "rates": table(
            tables.rates(results.tuning(name), name, config), f"Learning rates on {settings.title}"
        ),
    }


def _claims(results: Results) -> dict[str, Any]:
    config, claims = results.config, results.claims()
    judged = verdicts.judged(claims)
    waiting = verdicts.waiting(claims)
    verdict_rows = judged[verdicts.is_overall(judged)]
    return {
        "badges": {
            name.replace(" ", "_"): verdicts.badge(name)
            for name in ("replicated", "not replicated", "inconclusive")
        },
        "glance": [
            {
                "key": key,
                "statement": rows["statement"].iloc[0],
                "verdicts": [
                    (verdicts.learned(row, config), verdicts.badge(row["verdict"]))
                    for row in rows.to_dict("records")
                ],
            }
            for key, rows in verdict_rows.groupby("claim", sort=False)
        ],
        "claims": [verdicts.block(claims, key, config) for key in verdict_rows["claim"].unique()],
        "waiting": table(waiting, "Claims not yet run"),
        "waiting_count": len(waiting),
    }


def _report(name: str, results: Results) -> dict[str, str]:
    results.report(name)
    stem = results.layout.report(name)
    return {
        "title": results.config.experiments[name].title,
        "html": _link(stem.with_suffix(".html"), results),
        "ipynb": _link(stem.with_suffix(".ipynb"), results),
    }


def _stand_ins(results: Results) -> list[str]:
    """A line for each dataset that another one stands in for."""
    used = [data_used(name, results) for name in results.config.experiments]
    return [text for text in dict.fromkeys(used) if text.startswith("STAND-IN")]


def _provenance(results: Results) -> list[tuple[str, str]]:
    found, config = results.provenance(), results.config
    commits = sorted(set(results.runs()["commit"].astype(str)))
    machine = found["machine"]
    datasets = dict.fromkeys(data_used(name, results) for name in config.experiments)
    return [
        ("protocol", f"{config.protocol}, seed {config.seed}"),
        ("commit", f"{found['commit']} (this page); {', '.join(commits)} (meta-training)"),
        ("data", "; ".join(datasets)),
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
