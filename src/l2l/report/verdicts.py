"""The table of claims as a reader sees it: verdict, size of the effect, what decided."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping

import pandas as pd
from markupsafe import Markup

from l2l.config import Config
from l2l.config.claims import Claim
from l2l.evaluation.claims import MEASUREMENT, NOT_YET_RUN
from l2l.figures.style import display_name, names_in
from l2l.report.html import Row, interval_axis, interval_plot, table, wrapped
from l2l.report.words import listed, percent
from l2l.results import MEASURED, Results

SIGNS = {"replicated": "✔", "not replicated": "✘", "inconclusive": "?"}
COMPARISON = re.compile(
    r"(?:overall )?(?P<recipe>\w+):? vs (?P<baseline>\w+)(?: on (?P<experiment>\w+))?: (?P<rest>.*)"
)
ALONE = re.compile(r"overall (?P<recipe>\w+): (?P<rest>.*)")  # compared with nothing
DIVERGED = re.compile(r"(?<=runs of )\w+(?= diverged)")


def badge(verdict: str) -> Markup:
    """The verdict with a sign and a colour of its own."""
    kind = verdict.replace(" ", "-") if verdict in SIGNS else "none"
    return Markup('<span class="verdict {}">{} {}</span>').format(
        kind, SIGNS.get(verdict, "–"), verdict
    )


def is_overall(claims: pd.DataFrame) -> pd.Series:
    """Which rows hold the verdict on a claim rather than one of its comparisons."""
    return claims["comparison"].str.startswith("overall")


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
        rows = table[(table["claim"] == key) & is_overall(table)]
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
    overall = rows[is_overall(rows)]
    comparisons = rows[~is_overall(rows)]
    details = Markup("<details><summary>All {} comparisons of {}</summary>\n{}</details>").format(
        len(comparisons),
        claim,
        table(_rows(comparisons, "compared with", config), f"{claim}: comparisons"),
    )
    return Markup('<div class="claim"><h3>{}: {}</h3>\n{}\n{}</div>').format(
        claim,
        rows["statement"].iloc[0],
        table(_rows(overall, "decided by", config), f"{claim}: verdict for each optimizer"),
        details if len(comparisons) else "",
    )


def _rows(claims: pd.DataFrame, against: str, config: Config) -> list[Row]:
    return [
        {
            "learned optimizer": name,
            "verdict": badge(row["verdict"]),
            "difference": difference(row),
            interval_axis(): interval_plot(row["estimate"], row["low"], row["high"]),
            against: wrapped(compared_with(row["comparison"], config)),
            "tested on": wrapped(_tested_on(row["n"], row["data"])),
        }
        for name, row in zip(learned(claims, config), claims.to_dict("records"), strict=True)
    ]


def _tested_on(count: int, data: str) -> str:
    """What was repeated: test problems, or the timings of a measurement."""
    if data.startswith(MEASUREMENT):
        return f"{count} repeats, {data.replace('_', ' ')}"
    return f"{count} problems, {data}"


def waiting(claims: pd.DataFrame) -> list[Row]:
    """The claims that no experiment here has tested."""
    rows = claims[claims["verdict"] == NOT_YET_RUN]
    return [
        {
            "claim": row["claim"],
            "verdict": badge(row["verdict"]),
            "statement": wrapped(row["statement"]),
        }
        for row in rows.to_dict("records")
    ]


def learned(rows: pd.DataFrame, config: Config) -> list[str]:
    """The learned optimizer of each row of a claim, as a reader knows it."""
    matches = [_match(comparison) for comparison in rows["comparison"]]
    keys = [found["recipe"] if found else "" for found in matches]
    names = names_in([keys], config.labels())
    return [_words(names[key], key) for key in keys]


def _words(name: str, key: str) -> str:
    """A name for a reader: what is no optimizer of the configuration has its key, in words."""
    return key.replace("_", " ") if name == key else name


def _match(comparison: str) -> re.Match[str] | None:
    return COMPARISON.fullmatch(comparison) or ALONE.fullmatch(comparison)


def compared_with(comparison: str, config: Config) -> str:
    """What it was compared with: "NAG on ReLU: final loss, step 100", in a reader's names."""
    labels, found = config.labels(), _match(comparison)
    if found is None:
        return ""
    rest = DIVERGED.sub(lambda key: display_name(key.group(), labels), found["rest"])
    parts = found.groupdict()
    if "baseline" not in parts:
        return rest
    where = f" on {_title(parts['experiment'], config)}" if parts["experiment"] else ""
    baseline = parts["baseline"]
    return f"{_words(display_name(baseline, labels), baseline)}{where}: {rest}"


def _title(experiment: str, config: Config) -> str:
    known = config.experiments.get(experiment)
    return known.title if known else experiment


def difference(row: dict) -> str:
    """The effect of a row of the claims with its interval: "-59 % [-63, -55]"; "" without one."""
    estimate, low, high = (float(row[key]) for key in ("estimate", "low", "high"))
    if math.isnan(low) or math.isnan(high):
        return percent(estimate)
    return f"{percent(estimate)} [{percent(low)}, {percent(high)}]"
