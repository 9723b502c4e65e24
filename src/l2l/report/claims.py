"""The claims and their verdicts as readers see them, from the columns of the table of claims."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from l2l.config import Config
from l2l.config.claims import DEFAULT, LOSSES
from l2l.errors import UserError
from l2l.evaluation.rates import FINAL, MEAN
from l2l.evaluation.verdicts import (
    FEW_PROBLEMS,
    FEW_SEEDS,
    INCONCLUSIVE,
    NOT_REPLICATED,
    NOT_YET_RUN,
    OPTIMIZER,
    RECIPE,
    UNFINISHED,
)
from l2l.figures.style import display_name, names_in
from l2l.files import write_text
from l2l.report.table import (
    EFFECT,
    LONG_WORDS,
    PERCENT,
    PLOT,
    SHARE,
    SIGNS,
    VERDICT,
    Format,
    Interval,
    Table,
    badge,
    effect,
    listed,
    percent,
)

LINK = Format(html=lambda key: Markup('<a href="#{0}">{0}</a>').format(key), right=False)
ANCHOR = Format(
    html=lambda key: Markup('<a class="self" id="{0}" href="#{0}">{0}</a>').format(key), right=False
)
BRIEF = Format(
    " ".join,
    lambda words: Markup('<span class="wrap">{}</span> <small class="soft">{}</small>').format(
        *words
    ),
    right=False,
)
ANSWER = Format(
    lambda row: f"{_short(row['verdict'])} {_effect(row)}".strip(),
    lambda row: Markup("{} {}").format(badge(_short(row["verdict"])), _effect(row, limits=False)),
    right=False,
    number=lambda row: float(row["estimate"]),
)
ASKED = {OPTIMIZER: "the optimizer", RECIPE: "the recipe"}
"""What an answer is about; a measurement is about neither."""
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
loss, fewer steps, less oscillation or less time. There are two answers.

- **The optimizer** is the paper's question: of all meta-seeds the one that validated best, frozen,
  on fresh problems. The 95 % interval is a bootstrap over test problems, paired.
- **The recipe**: would another meta-training do as well? All meta-seeds count, three at least, and
  the interval is widened by Student's t for them.

The claim says beforehand which comparison decides. "Beats the baselines" is decided by the loss at
the last step, against the baseline that was the strongest on *tuning* problems. Every baseline is
tuned for the number in which it is compared. All other comparisons are shown beside.

- *Replicated*: the whole interval lies on the claimed side.
- *Not replicated*: the whole interval lies on the other side.
- *Inconclusive*: zero, the point between the sides, lies within the interval.
- *Not settled*: a meta-training had not finished, and finishing it could turn the verdict. Its
  best validation still fell by more than 5 % in its last third.
- *Not enough problems* or *meta-seeds*: fewer than five, or three. No interval is shown.

Where several comparisons decide, all have to be replicated. "Would settle it" is computed from the
spread that was seen. "Lower on" is the share of test problems (and meta-seeds) on which the learned
optimizer's number is lower. The plots show the interval of learned / baseline on a logarithmic
axis; left of the dotted line the learned optimizer's number is lower.

Claims about time and about meta-gradients are measured; their intervals are over repeats. Where a
claim says that something makes little difference, the comparison says how much is allowed ("10 %
allowed"); the sides then meet there, not at zero.
"""
"""How a verdict comes about, in Markdown."""


def glance(claims: pd.DataFrame, config: Config) -> Table:
    """Both answers to each claim, a row for each learned optimizer that it is about."""
    rows = []
    for key, entries in claims[claims["deciding"]].groupby("claim", sort=False):
        claim, several = config.claims[str(key)], entries["recipe"].nunique() > 1
        for place, (name, answers) in enumerate(_by_recipe(entries, config)):
            brief = "" if place else claim.brief or claim.statement
            rows.append(
                {
                    "claim": None if place else key,
                    "in brief": (brief, name if several else ""),
                    ASKED[OPTIMIZER]: answers.get(OPTIMIZER, answers.get("")),
                    ASKED[RECIPE]: answers.get(RECIPE),
                }
            )
    formats = {"claim": LINK, "in brief": BRIEF}
    formats |= dict.fromkeys(ASKED.values(), ANSWER)
    return Table.of("The claims, and what came out", rows, formats)


def _by_recipe(
    deciding: pd.DataFrame, config: Config
) -> Iterator[tuple[str, dict[str, dict[Any, Any]]]]:
    """The rows of a claim that decide: name of each recipe -> answer ("": a measurement) -> row."""
    names = dict(zip(deciding["recipe"], learned(deciding, config), strict=True))
    for recipe, rows in deciding.groupby("recipe", sort=False):
        answers = {row["answer"] if row["answer"] in ASKED else "": row for row in _records(rows)}
        yield names[recipe], answers


def _records(rows: pd.DataFrame) -> list[dict[Any, Any]]:
    return rows.to_dict("records")


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
        for place, (name, row) in enumerate(zip(names, _records(entries), strict=True)):
            rows.append(
                {
                    "claim": None if place else key,
                    "what is claimed": None if place else config.claims[str(key)].statement,
                    "who": f"{ASKED[row['answer']]} {name}" if row["answer"] in ASKED else name,
                    **_judged(row),
                    "decided by": compared_with(row, config, key in several),
                    "would settle it": settled_by(row),
                }
            )
    formats = {"claim": ANCHOR, "what is claimed": LONG_WORDS, "who": LONG_WORDS, **JUDGED}
    formats |= {"decided by": LONG_WORDS, "would settle it": LONG_WORDS}
    return Table.of(caption, rows, formats)


def comparisons(claims: pd.DataFrame, config: Config, caption: str) -> Table:
    """All comparisons of a claim, from its rows of the table of claims."""
    several = claims["experiment"].nunique() > 1
    rows = [
        {
            "who": f"{ASKED[row['answer']]} {name}" if row["answer"] in ASKED else name,
            "compared with": compared_with(row, config, several),
            "decides": "✔" if row["primary"] else "",
            **_judged(row),
            "over": _tested_on(row),
        }
        for name, row in zip(learned(claims, config), _records(claims), strict=True)
    ]
    formats = {"who": LONG_WORDS, "compared with": LONG_WORDS, **JUDGED, "over": LONG_WORDS}
    return Table.of(caption, rows, formats)


JUDGED = {
    "verdict": VERDICT,
    "difference": EFFECT,
    PLOTTED: PLOT,
    "geometric": PERCENT,
    "lower on": SHARE,
}


def _judged(row: Mapping[Any, Any]) -> dict[str, Any]:
    """The columns that say what came out of a comparison."""
    measured = row["answer"] in ASKED
    return {
        "verdict": row["verdict"],
        "difference": _interval(row),
        PLOTTED: _interval(row),
        "geometric": row["geometric"] if measured and row["effect"] == "means" else None,
        "lower on": row["wins"] if measured else None,
    }


def settled_by(row: Mapping[Any, Any]) -> str:
    """What would settle a verdict that is not settled: "40 problems and 6 meta-seeds"."""
    needs = [
        f"{row[f'needs_{what}']:,} {words}"
        for what, words in (
            ("problems", "problems"),
            ("seeds", "meta-seeds"),
            ("episodes", "episodes or more"),
        )
        if pd.notna(row[f"needs_{what}"])
    ]
    if needs:
        return listed(needs)
    return "too close to call" if row["verdict"] == INCONCLUSIVE else ""


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
        case "oscillation" | "fluctuation" | "progress" as name:
            return f"{name}, steps {row['first_step']}-{horizon}"
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
    if row["rates"] == DEFAULT:
        rate = config.experiments[row["experiment"]].default_rates[row["baseline"]]
        parts.append(f"at {rate:g}, untuned")
    elif row["rates"] not in ("", FINAL, MEAN):
        parts.append(f"with the learning rate of {config.experiments[row['rates']].title}")
    if row["effect"] == "ratios":
        parts.append("mean of ratios")
    if row["allowance"] > 0:
        parts.append(f"{100 * row['allowance']:g} % allowed")
    text = "; ".join(parts)
    where = ""
    if say_experiment and row["experiment"]:
        known = config.experiments.get(row["experiment"])
        where = f" on {known.title if known else row['experiment']}"
    if not row["baseline"]:
        return f"{text}{where}"
    return f"{_words(display_name(row['baseline'], labels), row['baseline'])}{where}: {text}"


def _tested_on(row: Mapping[Any, Any]) -> str:
    if row["table"]:
        return f"{row['problems']} repeats, measurement {row['table'].replace('_', ' ')}"
    return f"{row['problems']} problems, {row['data']}" if row["data"] else ""


def _interval(row: Mapping[Any, Any]) -> Interval | None:
    if row["verdict"] == NOT_YET_RUN:
        return None
    return Interval(row["estimate"], row["low"], row["high"])


def _effect(row: Mapping[Any, Any], limits: bool = True) -> str:
    interval = _interval(row)
    if interval is None:
        return ""
    return effect(interval) if limits else percent(interval.value)


def _sign(verdict: str) -> str:
    return SIGNS.get(_short(verdict), "–")


def _short(verdict: str) -> str:
    """A verdict without its reason."""
    return verdict.partition(":")[0]


def result(claims: pd.DataFrame, config: Config) -> str:
    """What came out for some claims, in a sentence: the answer about each selected optimizer."""
    parts = []
    asked = claims[claims["deciding"] & (claims["answer"] != RECIPE)]
    for key, entries in asked.groupby("claim", sort=False):
        claim, names = config.claims[str(key)], learned(entries, config)
        verdicts = [_short(verdict) for verdict in entries["verdict"]]
        if len({*verdicts}) == 1:
            said = verdicts[0]
        else:
            said = ", ".join(
                f"{verdict} ({name})" for name, verdict in zip(names, verdicts, strict=True)
            )
        parts.append(f"{key}, {claim.brief or claim.statement}: {said}")
    return "; ".join(parts) + "." if parts else ""


def marked_tables(claims: pd.DataFrame, config: Config) -> dict[str, str]:
    """The tables that a page written by hand can have, in Markdown, by the name in their marks."""
    judged = claims[claims["verdict"] != NOT_YET_RUN]
    unsettled = {NOT_REPLICATED, INCONCLUSIVE, UNFINISHED, FEW_PROBLEMS, FEW_SEEDS}
    parts = {"verdicts": {*judged["verdict"]}, "not replicated": unsettled}
    tables = {key: overview(claims, config, key, verdicts) for key, verdicts in parts.items()}
    rows = []
    for key, entries in judged[judged["deciding"]].groupby("claim", sort=False):
        several = entries["recipe"].nunique() > 1
        for place, (name, answers) in enumerate(_by_recipe(entries, config)):
            claim = f"{key} {config.claims[str(key)].brief}".strip()
            rows.append(
                {
                    "claim": "" if place else claim,
                    "who": name if several else "",
                    ASKED[OPTIMIZER]: answers.get(OPTIMIZER, answers.get("")),
                    ASKED[RECIPE]: answers.get(RECIPE),
                }
            )
    brief = Format(lambda row: f"{_sign(row['verdict'])} {_effect(row, limits=False)}")
    formats = dict.fromkeys(ASKED.values(), brief)
    tables["in brief"] = Table.of("Claims in brief", rows, formats)
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
