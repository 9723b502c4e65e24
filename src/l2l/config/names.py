"""Names that refer to entries of the configuration's sections."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from l2l.config.base import Name


class Entry(NamedTuple):
    """Marks a name that an entry of a section must have (`l2l.config.checks`).

    Attributes:
        section: a key of the configuration.
        single: whether mixtures of problems are refused.
    """

    section: str
    single: bool = False


ProblemName = Annotated[Name, Entry("problems")]
SingleProblemName = Annotated[Name, Entry("problems", single=True)]
RecipeName = Annotated[Name, Entry("recipes")]
ExperimentName = Annotated[Name, Entry("experiments")]
