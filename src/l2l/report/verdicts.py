"""The table of claims as a reader sees it: verdict, size of the effect, what decided."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from l2l.config import Config
from l2l.config.claims import Claim
from l2l.evaluation.claims import NOT_YET_RUN
from l2l.figures.style import display_name, names_in
from l2l.report.html import Row, interval_axis, interval_plot, table, wrapped
from l2l.report.words import listed, percent
from l2l.results import MEASURED, Results

SIGNS = {"replicated": "✔", "not replicated": "✘", "inconclusive": "?"}
LOSSES = {"loss": "loss", "train_loss": "loss", "test_loss": "held-out loss"}
"""What a metric says of a column; train_loss is the same loss without the choice of a minibatch."""


def badge(verdict: str) -> Markup:
    """The verdict with a sign and a colour of its own."""
    kind = verdict.replace(" ", "-") if verdict in SIGNS else "none"
    return Markup('<span class="verdict {}">{} {}</span>').format(
        kind, SIGNS.get(verdict, "–"), verdict
    )


def about(
    experiments: Collection[str], claims: Mapping[str, Claim], measured: Collection[str] = ()
) -> dict[str, Claim]:
    """The claims that look at something in one of the experiments, or of the measurements.

    Args:
        experiments: names.
        claims: of the configuration, which says what each of them compares.
        measured: names of tables; a claim that compares losses too belongs to its experiments.
    """
    found = {}
    for key, claim in claims.items():
        names = {comparison.experiment for comparison in claim.comparisons}
        names.update(claim.sizes.experiments if claim.sizes else ())
        own = {one.table for one in claim.measured} & {*measured}
        if names & {*experiments} or (own and not names):
            found[key] = claim
    return found


def about_figure(figure: str, results: Results) -> dict[str, Claim]:
    """The claims that a figure's experiments, or its measurement, decide."""
    experiments = results.config.figure_experiments().get(figure, [])
    return about(experiments, results.config.claims, MEASURED.get(figure, ()))


def claimed(claims: Mapping[str, Claim]) -> str:
    """What is claimed, in a sentence: by the paper, and in another by its summary alone."""
    of_paper = {key: one for key, one in claims.items() if "[P]" in one.source}
    of_summary = {key: one for key, one in claims.items() if key not in of_paper}
    told = [("The paper claims", of_paper), ("Its summary (Jiang, 2019) says", of_summary)]
    return " ".join(
        f"{who} {'; '.join(_that(*one) for one in what.items())}." for who, what in told if what
    )


def _that(key: str, claim: Claim) -> str:
    statement = claim.statement
    return f"that {statement[0].lower()}{statement[1:].rstrip('.')} ({key})"


def found(table: pd.DataFrame, claims: Collection[str], config: Config) -> str:
    """What came out, in a sentence: the verdicts on claims, by learned optimizer.

    Args:
        table: results/<protocol>/claims.csv.
        claims: the keys of those that are told.
        config: labels.
    """
    outcomes: dict[str, list[str]] = {}
    for key in claims:
        rows = table[(table["claim"] == key) & table["deciding"]]
        who: dict[str, list[str]] = {}
        for name, verdict in zip(learned(rows, config), rows["verdict"], strict=True):
            who.setdefault(verdict, []).append(name)
        parts = [
            verdict if verdict == NOT_YET_RUN else f"{verdict} for {listed(names)}"
            for verdict, names in who.items()
        ]
        outcomes.setdefault(listed(parts), []).append(key)
    told = [
        f"{listed(keys)} {'is' if len(keys) == 1 else 'are'} {outcome}"
        for outcome, keys in outcomes.items()
    ]
    return f"Here {'; '.join(told)}."


def block(claims: pd.DataFrame, claim: str, config: Config) -> Markup:
    """A claim with its verdicts, and all of its comparisons to unfold.

    Args:
        claims: results/<protocol>/claims.csv.
        claim: its key, such as "C1".
        config: labels.
    """
    rows = claims[claims["claim"] == claim]
    overall = rows[rows["deciding"]]
    details = Markup("<details><summary>All {} comparisons of {}</summary>\n{}</details>").format(
        len(rows),
        claim,
        table(_rows(rows, "compared with", config), f"{claim}: comparisons"),
    )
    return Markup('<div class="claim"><h3>{}: {}</h3>\n{}\n{}</div>').format(
        claim,
        statements(config)[claim],
        table(_rows(overall, "decided by", config), f"{claim}: verdict for each optimizer"),
        details if len(rows) > len(overall) else "",
    )


def statements(config: Config) -> dict[str, str]:
    """Claim -> what is claimed."""
    return {key: claim.statement for key, claim in config.claims.items()}


def _rows(claims: pd.DataFrame, against: str, config: Config) -> list[Row]:
    several = claims["experiment"].nunique() > 1
    return [
        {
            "learned optimizer": name,
            "verdict": badge(row["verdict"]),
            "difference": difference(row),
            interval_axis(): interval_plot(row["estimate"], row["low"], row["high"]),
            against: wrapped(compared_with(row, config, several)),
            "tested on": wrapped(_tested_on(row)),
        }
        for name, row in zip(learned(claims, config), claims.to_dict("records"), strict=True)
    ]


def _tested_on(row: Mapping[Any, Any]) -> str:
    """What was repeated: test problems, or the timings of a measurement."""
    if row["table"]:
        return f"{row['problems']} repeats, measurement {row['table'].replace('_', ' ')}"
    return f"{row['problems']} problems, {row['data']}"


def waiting(claims: pd.DataFrame, config: Config) -> list[Row]:
    """The claims that no experiment here has tested."""
    told = statements(config)
    rows = claims[claims["verdict"] == NOT_YET_RUN]
    return [
        {
            "claim": row["claim"],
            "verdict": badge(row["verdict"]),
            "statement": wrapped(told[row["claim"]]),
        }
        for row in rows.to_dict("records")
    ]


def learned(rows: pd.DataFrame, config: Config) -> list[str]:
    """The learned optimizer of each row of a claim, as a reader knows it."""
    names = names_in([[*rows["recipe"]]], config.labels())
    return [_words(names[key], key) for key in rows["recipe"]]


def _words(name: str, key: str) -> str:
    """A name for a reader: what is no optimizer of the configuration has its key, in words."""
    return key.replace("_", " ") if name == key else name


def metric(row: Mapping[Any, Any]) -> str:
    """What a comparison compares: "mean held-out loss, steps 1-1000"."""
    loss, horizon = LOSSES.get(row["loss"], row["loss"]), row["horizon"]
    match row["metric"]:
        case "mean_loss":
            return f"mean {loss}, steps {row['first_step']}-{horizon}"
        case "final_loss":
            return f"final {loss}, step {horizon}"
        case "steps_to_target":
            return f"steps to loss {row['target']:g} (at most {horizon})"
        case "oscillation":
            return f"oscillation, steps {row['first_step']}-{horizon}"
        case "measured":
            value = loss.removesuffix("_left_out").replace("_", " ")
            return f"{value}, {row['condition']}" if row["condition"] else value
        case _:
            return str(row["condition"])


def compared_with(row: Mapping[Any, Any], config: Config, say_experiment: bool = False) -> str:
    """What a row's recipe is compared with: "NAG on ReLU: final loss, step 100".

    Args:
        row: of the table of claims.
        config: labels and titles.
        say_experiment: whether to name the experiment.
    """
    labels, parts = config.labels(), [metric(row)]
    for who, runs, diverged in (
        (row["recipe"], row["runs"], row["diverged"]),
        (row["baseline"], row["baseline_runs"], row["baseline_diverged"]),
    ):
        if pd.notna(diverged) and diverged:
            parts.append(f"{diverged} of {runs} runs of {display_name(who, labels)} diverged")
    if any(pd.notna(seeds) and seeds == 1 for seeds in (row["seeds"], row["baseline_seeds"])):
        parts.append("one meta-seed")  # whose chance no interval can tell
    if row["allowance"] > 0:
        parts.append(f"{100 * row['allowance']:g} % allowed")
    text = "; ".join(parts)
    if not row["baseline"]:
        return text
    where = (
        f" on {_title(row['experiment'], config)}" if say_experiment and row["table"] == "" else ""
    )
    return f"{_words(display_name(row['baseline'], labels), row['baseline'])}{where}: {text}"


def _title(experiment: str, config: Config) -> str:
    known = config.experiments.get(experiment)
    return known.title if known else experiment


def difference(row: Mapping[Any, Any]) -> str:
    """The effect of a row of the claims with its interval: "-59 % [-63, -55]"; "" without one."""
    estimate, low, high = (float(row[key]) for key in ("estimate", "low", "high"))
    if math.isnan(low) or math.isnan(high):
        return percent(estimate)
    return f"{percent(estimate)} [{percent(low)}, {percent(high)}]"
