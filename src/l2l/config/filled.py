"""What an entry does not say itself: `like: another`, and the values common to all of a kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from l2l.errors import UserError

STUDY_PARTS = ("problems", "recipes", "experiments", "measurements", "claims")
"""What a study defines."""
ENTRIES = ("problems", "recipes", "experiments")


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `base`: mappings merge key by key, everything else is replaced.

    So is a mapping that says another `kind`: the settings of one kind are not those of another.
    """
    merged = dict(base)
    for key, value in over.items():
        below: Any = merged.get(key)
        merged[key] = merge(below, value) if _belong_together(below, value) else value
    return merged


def _belong_together(below: Any, over: Any) -> bool:
    """Whether both are mappings, and not of different kinds."""
    if not (isinstance(below, Mapping) and isinstance(over, Mapping)):
        return False
    return "kind" not in over or "kind" not in below or over["kind"] == below["kind"]


def filled(config: dict[str, Any]) -> dict[str, Any]:
    """A merged configuration whose entries say everything themselves.

    An entry with `like: name` is laid on that entry of its section. An experiment takes what its
    `tuning` and `evaluation` do not say from the sections of these names, a recipe its `meta_seeds`
    from the value of that name.

    Args:
        config: of all layers. What has another form than expected is left for the schema to refuse.

    Raises:
        UserError: `like` names no entry, or goes round in a circle.
    """
    whole = dict(config)
    for section in ENTRIES:
        entries = whole.get(section)
        if isinstance(entries, Mapping):
            whole[section] = {name: _laid(section, entries, name) for name in entries}
    for name, entry in _mappings(whole.get("recipes")):
        if "meta_seeds" in whole:
            whole["recipes"][name] = {"meta_seeds": whole["meta_seeds"], **entry}
    for name, entry in _mappings(whole.get("experiments")):
        common: dict[str, Any] = {k: whole[k] for k in ("tuning", "evaluation") if k in whole}
        whole["experiments"][name] = merge(common, entry)
    _complete_studies(whole)
    return whole


def _complete_studies(whole: dict[str, Any]) -> None:
    """Put what no study defines into a study of its own: the entries of a user's file."""
    studies = whole.get("studies")
    if not isinstance(studies, Mapping):
        return
    others: dict[str, list[Any]] = {}
    for section in STUDY_PARTS:
        named = {name for _, study in _mappings(studies) for name in study.get(section) or ()}
        entries = whole.get(section)
        names = entries if isinstance(entries, Mapping) else ()
        others[section] = [name for name in names if name not in named]
    if others["experiments"] or others["claims"]:
        whole["studies"] = {**studies, "further": {"title": "Further experiments", **others}}


def _mappings(entries: Any) -> list[tuple[str, Mapping[str, Any]]]:
    if not isinstance(entries, Mapping):
        return []
    return [(name, entry) for name, entry in entries.items() if isinstance(entry, Mapping)]


def _laid(section: str, entries: Mapping[str, Any], name: str, seen: tuple[str, ...] = ()) -> Any:
    """An entry laid on the one it is like, that one on the one it is like, and so on."""
    entry = entries[name]
    if not isinstance(entry, Mapping) or "like" not in entry:
        return entry
    own = {key: value for key, value in entry.items() if key != "like"}
    other, key = entry["like"], f"config: {section}.{name}.like = {entry['like']!r}"
    if not isinstance(other, str) or other not in entries:
        raise UserError(f"{key}: there is no such entry; there are: {', '.join(map(str, entries))}")
    if other in (*seen, name):
        raise UserError(f"{key}: goes round in a circle; let one of them stand for itself")
    base = _laid(section, entries, other, (*seen, name))
    return merge(base, own) if isinstance(base, Mapping) else entry
