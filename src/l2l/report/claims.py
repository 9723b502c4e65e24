"""The claims and their verdicts as readers see them, from the columns of the table of claims."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from l2l.config import Config
from l2l.errors import UserError
from l2l.evaluation.claims import (
    INCONCLUSIVE,
    NOT_REPLICATED,
    NOT_YET_RUN,
)
from l2l.figures.style import display_name, names_in
from l2l.files import write_text
from l2l.report.table import (
    EFFECT,
    LONG_WORDS,
    PERCENT,
    PLOT,
    SIGNS,
    VERDICT,
    Format,
    Interval,
    Table,
    badge,
)

LOSSES = {"loss": "loss", "train_loss": "loss", "test_loss": "held-out loss"}
"""What a metric says of a column; train_loss is the same loss without the choice of a minibatch."""
LINK = Format(html=lambda key: Markup('<a href="#{0}">{0}</a>').format(key), right=False)
BADGES = Format(
    lambda who: "; ".join(f"{name}: {verdict}" for name, verdict in who),
    lambda who: Markup("").join(
        Markup('<span class="who">{} {}</span>').format(name, badge(verdict))
        for name, verdict in who
    ),
    right=False,
)
PLOTTED = "learned / baseline"
MARKED = re.compile(
    r"(?P<begin><!-- (?P<name>[\w ]+): by make publish -->\n)"
    r"(?:(?!<!-- [\w ]+: by).)*?"  # not over the beginning of another
    r"(?P<end><!-- end -->)",
    re.DOTALL,
)
HOW_JUDGED = """
Each comparison is one learned optimizer against one baseline in one number. Its effect is the
relative difference of means, learned / baseline − 1: −50 % means half as large. Negative is less
loss, fewer steps, less oscillation or less time. The verdict follows the 95 % interval of the
effect. It is a bootstrap over test problems, widened by Student's t for the meta-seeds.

- *Replicated*: the whole interval lies on the claimed side.
- *Not replicated*: the whole interval lies on the other side.
- *Inconclusive*: zero, the point between the sides, lies within the interval.

A claim is replicated for an optimizer only if all its comparisons are. It is not replicated if one
of them is not. "Decided by" names the comparison whose verdict counts: the worst one. The plots
show the interval of learned / baseline on a logarithmic axis; left of the dotted line the learned
optimizer's number is lower. With few meta-seeds the intervals are wide. With one meta-seed they
are over test problems only, and say nothing about another meta-training.

Claims about time and about meta-gradients are measured; their intervals are over repeats. Where a
claim says that something makes little difference, the comparison says how much is allowed ("10 %
allowed"); the sides then meet there, not at zero.
"""
"""How a verdict comes about, in Markdown."""


def glance(claims: pd.DataFrame, config: Config) -> Table:
    """The verdicts on each claim, a row for each claim, which links to its place on the page."""
    rows = []
    for key, entries in claims[claims["deciding"]].groupby("claim", sort=False):
        who = zip(learned(entries, config), entries["verdict"], strict=True)
        statement = config.claims[str(key)].statement
        rows.append({"claim": key, "what is claimed": statement, "verdict": [*who]})
    formats = {"claim": LINK, "what is claimed": LONG_WORDS, "verdict": BADGES}
    return Table.of("The verdict on each claim, for each optimizer that it is about", rows, formats)


def overview(
    claims: pd.DataFrame, config: Config, caption: str, verdicts: Collection[str] | None = None
) -> Table:
    """The verdict on each claim for each optimizer; what repeats the row above is left out.

    Only these verdicts are shown, or all.
    """
    rows = []
    tested = claims[claims["experiment"] != ""].groupby("claim")["experiment"].nunique()
    several = {*tested[tested > 1].index}
    deciding = claims[claims["deciding"]]
    if verdicts is not None:
        deciding = deciding[deciding["verdict"].isin(verdicts)]
    for key, entries in deciding.groupby("claim", sort=False):
        names = learned(entries, config)
        for place, (name, row) in enumerate(zip(names, entries.to_dict("records"), strict=True)):
            rows.append(
                {
                    "claim": None if place else key,
                    "what is claimed": None if place else config.claims[str(key)].statement,
                    "optimizer": name,
                    "verdict": row["verdict"],
                    "difference": _interval(row),
                    PLOTTED: _interval(row),
                    "decided by": compared_with(row, config, key in several),
                }
            )
    formats = {
        "what is claimed": LONG_WORDS,
        "verdict": VERDICT,
        "difference": EFFECT,
        PLOTTED: PLOT,
        "decided by": LONG_WORDS,
    }
    return Table.of(caption, rows, formats)


def comparisons(claims: pd.DataFrame, config: Config, caption: str) -> Table:
    """All comparisons of a claim, from its rows of the table of claims."""
    several = claims["experiment"].nunique() > 1
    rows = [
        {
            "optimizer": name,
            "compared with": compared_with(row, config, several),
            "verdict": row["verdict"],
            "difference": _interval(row),
            PLOTTED: _interval(row),
            "over": _tested_on(row),
        }
        for name, row in zip(learned(claims, config), claims.to_dict("records"), strict=True)
    ]
    formats = {
        "compared with": LONG_WORDS,
        "verdict": VERDICT,
        "difference": EFFECT,
        PLOTTED: PLOT,
        "over": LONG_WORDS,
    }
    return Table.of(caption, rows, formats)


def learned(rows: pd.DataFrame, config: Config) -> list[str]:
    """The learned optimizer of each row of a claim, as a reader knows it."""
    names = names_in([[*rows["recipe"]]], config.labels())
    return [_words(names[key], key) for key in rows["recipe"]]


def _words(name: str, key: str) -> str:
    """The name; the key in words, where it is not that of an optimizer."""
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
    """What a row's recipe is compared with: "NAG on ReLU: final loss, step 100"."""
    if row["verdict"] == NOT_YET_RUN:
        return ""
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
    where = ""
    if say_experiment and row["experiment"]:
        known = config.experiments.get(row["experiment"])
        where = f" on {known.title if known else row['experiment']}"
    return f"{_words(display_name(row['baseline'], labels), row['baseline'])}{where}: {text}"


def _tested_on(row: Mapping[Any, Any]) -> str:
    if row["table"]:
        return f"{row['problems']} repeats, measurement {row['table'].replace('_', ' ')}"
    return f"{row['problems']} problems, {row['data']}" if row["data"] else ""


def _interval(row: Mapping[Any, Any]) -> Interval | None:
    if row["verdict"] == NOT_YET_RUN:
        return None
    return Interval(row["estimate"], row["low"], row["high"])


def marked_tables(claims: pd.DataFrame, config: Config) -> dict[str, str]:
    """The tables that a page written by hand can have, in Markdown, by the name in their marks."""
    judged = claims[claims["verdict"] != NOT_YET_RUN]
    parts = {"verdicts": {*judged["verdict"]}, "not replicated": {NOT_REPLICATED, INCONCLUSIVE}}
    tables = {key: overview(claims, config, key, verdicts) for key, verdicts in parts.items()}
    first = judged[judged["deciding"]].drop_duplicates("claim")
    rows = [
        {
            "claim": f"{row['claim']} {config.claims[row['claim']].brief}".strip(),
            "difference": row["estimate"],
            "verdict": SIGNS.get(row["verdict"], row["verdict"]),
        }
        for row in first.to_dict("records")
    ]
    tables["in brief"] = Table.of("Claims in brief", rows, {"difference": PERCENT})
    return {name: table.markdown() for name, table in tables.items()}


def fill(page: Path, tables: Mapping[str, str]) -> None:
    """Write the tables between a page's marks anew, and leave all else as it is.

    Raises:
        UserError: there is no such page, or it has no marks, or one names no table.
    """
    try:
        text = page.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot read {page}: {error.strerror}") from None
    names = [mark["name"] for mark in MARKED.finditer(text)]
    if not names or not {*names} <= {*tables}:
        raise UserError(
            f"{page}: expected <!-- NAME: by make publish --> and, below it, <!-- end -->, "
            f"NAME one of: {', '.join(tables)}; it has: {', '.join(names) or 'none'}"
        )
    write_text(
        page,
        MARKED.sub(lambda old: f"{old['begin']}\n{tables[old['name']]}\n\n{old['end']}", text),
    )
