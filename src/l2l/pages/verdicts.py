"""The table of claims as a reader sees it: verdict, size of the effect, what decided."""

from __future__ import annotations

import math
import re
from collections.abc import Collection

import pandas as pd
from markupsafe import Markup

from l2l.config import Config
from l2l.figures.style import display_name
from l2l.pages.html import Row, interval_axis, interval_plot, table, wrapped
from l2l.pages.words import percent

NOT_YET_RUN = "not yet run"
SIGNS = {"replicated": "✔", "not replicated": "✘", "inconclusive": "?"}
COMPARISON = re.compile(
    r"(?:overall )?(?P<recipe>\w+):? vs (?P<baseline>\w+)(?: on (?P<experiment>\w+))?: (?P<rest>.*)"
)
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


def judged(claims: pd.DataFrame) -> pd.DataFrame:
    """The claims that something was compared for."""
    return claims[claims["verdict"] != NOT_YET_RUN]


def of_recipes(claims: pd.DataFrame, recipes: Collection[str]) -> pd.DataFrame:
    """The rows that judge one of the recipes."""
    found = claims["comparison"].str.extract(COMPARISON.pattern)["recipe"]
    return claims[found.isin(recipes)]


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
    return Markup(
        '<div class="claim"><h3>{}: {}</h3>\n{}\n'
        "<details><summary>All {} comparisons of {}</summary>\n{}</details></div>"
    ).format(
        claim,
        rows["statement"].iloc[0],
        table(_rows(overall, "decided by", config), f"{claim}: verdict for each optimizer"),
        len(comparisons),
        claim,
        table(_rows(comparisons, "compared with", config), f"{claim}: comparisons"),
    )


def _rows(claims: pd.DataFrame, against: str, config: Config) -> list[Row]:
    return [
        {
            "learned optimizer": _parts(row, config)[0],
            "verdict": badge(row["verdict"]),
            "difference": _difference(row),
            interval_axis(): interval_plot(row["estimate"], row["low"], row["high"]),
            against: wrapped(_parts(row, config)[1]),
            "tested on": wrapped(f"{row['n']} problems, {row['data']}"),
        }
        for row in claims.to_dict("records")
    ]


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


def learned(row: dict, config: Config) -> str:
    """The learned optimizer of a row of the claims, as a reader knows it."""
    return _parts(row, config)[0]


def _parts(row: dict, config: Config) -> tuple[str, str]:
    """The learned optimizer, and "<baseline>: <metric>", with the names that a reader knows."""
    found = COMPARISON.fullmatch(row["comparison"])
    if found is None:
        return row["comparison"], ""
    labels = config.labels()
    where = f" on {found['experiment']}" if found["experiment"] else ""
    rest = DIVERGED.sub(lambda key: display_name(key.group(), labels), found["rest"])
    return (
        display_name(found["recipe"], labels),
        f"{display_name(found['baseline'], labels)}{where}: {rest}",
    )


def _difference(row: dict) -> str:
    estimate, low, high = (float(row[key]) for key in ("estimate", "low", "high"))
    if math.isnan(low) or math.isnan(high):
        return percent(estimate)
    return f"{percent(estimate)} [{percent(low)}, {percent(high)}]"
