"""Tables of verdicts in pages that are written by hand, between two marks: `l2l record --page`."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

import pandas as pd

from l2l.config import Config
from l2l.errors import UserError
from l2l.files import write_text
from l2l.report.html import Row
from l2l.report.markdown import markdown
from l2l.report.verdicts import NOT_YET_RUN, compared_with, difference, learned, statements

MARKED = re.compile(
    r"(?P<begin><!-- (?P<name>[\w ]+): by make publish -->\n)"
    r"(?:(?!<!-- [\w ]+: by).)*?"  # not over the beginning of another
    r"(?P<end><!-- end -->)",
    re.DOTALL,
)
HOW_IT_IS_JUDGED = re.compile(r" \([^()]*\)(?=\.$)")


def fill(page: Path, tables: Mapping[str, str]) -> None:
    """Write a page's marked tables anew, and leave all else as it is.

    Raises:
        UserError: there is no such page, or it has no marks, or one names no table.
    """
    try:
        text = page.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot read {page}: {error.strerror}") from None
    names = [found["name"] for found in MARKED.finditer(text)]
    if not names or not {*names} <= {*tables}:
        raise UserError(
            f"{page}: expected <!-- NAME: by make publish --> and, below it, <!-- end -->, "
            f"NAME one of: {', '.join(tables)}; found: {', '.join(names) or 'none'}"
        )
    write_text(
        page,
        MARKED.sub(lambda old: f"{old['begin']}\n{tables[old['name']]}\n\n{old['end']}", text),
    )


def tables(claims: pd.DataFrame, config: Config) -> dict[str, str]:
    """The tables that a page can have, in Markdown.

    Args:
        claims: results/<protocol>/claims.csv.
        config: labels.
    """
    overall = claims[claims["deciding"]]
    parts = {
        "verdicts": overall[overall["verdict"] != NOT_YET_RUN],
        "not replicated": overall[overall["verdict"].isin(["not replicated", "inconclusive"])],
    }
    several = over_several(claims)
    return {
        name: markdown(overview(part, several, config)) if len(part) else "None."
        for name, part in parts.items()
    }


def over_several(claims: pd.DataFrame) -> set[str]:
    """The claims with comparisons in several experiments."""
    tested = claims[claims["experiment"] != ""].groupby("claim")["experiment"].nunique()
    return {*tested[tested > 1].index}


def overview(overall: pd.DataFrame, several: Collection[str], config: Config) -> list[Row]:
    """The verdicts on claims, a row for each optimizer; what repeats the row above is left out.

    Args:
        overall: the rows of the table of claims that decide.
        several: the claims whose rows name their experiment.
        config: labels.
    """
    rows, told = [], statements(config)
    for claim, entries in overall.groupby("claim", sort=False):
        names = learned(entries, config)
        for place, (name, row) in enumerate(zip(names, entries.to_dict("records"), strict=True)):
            rows.append(
                {
                    "claim": "" if place else str(claim),
                    "what is claimed": ""
                    if place
                    else HOW_IT_IS_JUDGED.sub("", told[str(claim)]).rstrip("."),
                    "optimizer": name,
                    "decided by": compared_with(row, config, claim in several),
                    "difference": difference(row),
                    "verdict": row["verdict"],
                }
            )
    return rows
