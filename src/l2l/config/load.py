"""Where a configuration comes from: default.yaml <- protocol <- released <- user files <- --set."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from l2l.config.base import MISTAKE
from l2l.config.filled import ENTRIES, STUDY_PARTS, filled, merge
from l2l.config.schema import Config
from l2l.errors import UserError
from l2l.registry import ESTIMATORS, OPTIMIZERS, PROBLEMS

KINDS = {"optimizer": OPTIMIZERS, "estimator": ESTIMATORS}
PROTOCOLS = ("smoke", "default", "paper")
DEFAULTS = Path(__file__).parents[1] / "defaults"
"""config/ and studies/ of the checkout, which the package carries."""
DEEPEST = 100  # levels of YAML in each other
OWN_ERRORS = (  # they name the value themselves
    MISTAKE,
    *("unknown_key", "unknown_name", "boolean"),
    *("order", "unroll", "weights", "horizon", "trial", "twice"),
    *("circle", "seeds", "held_out", "figure", "cells", "sampling", "mixture"),
    *("limit", "pictures", "window"),
)


def load_config(
    protocol: str | None = None,
    files: Iterable[str | Path] = (),
    settings: Iterable[str] = (),
    overrides: Mapping[str, Any] | None = None,
) -> Config:
    """Merge the layers and validate the result.

    Args:
        protocol: smoke, default or paper: which overlay of the default is taken. None: the one
            that the user's files or overrides name, else default.
        files: the user's YAML files, later ones win. Mappings merge, all else replaces.
        settings: "dotted.key=value" strings (value in YAML), as given to `--set`.
        overrides: a nested mapping that wins over the files, as Snakemake's `--config` gives.

    Raises:
        UserError: one line with the key, the value and what is allowed.
    """
    user: dict[str, Any] = {}
    for layer in [*(_read(Path(file)) for file in files), dict(overrides or {})]:
        user = merge(user, layer)
    for setting in settings:
        user = merge(user, _parse_setting(setting))
    chosen = user.get("protocol", "default") if protocol is None else protocol
    if chosen not in PROTOCOLS:
        raise UserError(f"config: protocol = {chosen!r}: allowed are {', '.join(PROTOCOLS)}")
    merged = _default()
    if chosen != "default":
        merged = merge(merged, _read(config_folder() / f"{chosen}.yaml"))
    if user.get("optimizers") == "released":
        if chosen == "paper":
            raise UserError(
                "config: optimizers = released: what is released was trained in the protocol "
                "default, not paper"
            )
        if chosen == "default":  # smoke is small as it is
            merged = merge(merged, _read(config_folder() / "released.yaml"))
    merged = filled({**merge(merged, user), "protocol": chosen})
    try:
        return Config.model_validate(merged)
    except ValidationError as error:
        raise UserError(_one_line(error)) from None


def config_folder() -> Path:
    """The folder of default.yaml and its overlays: of the checkout, or of the installed package."""
    return (DEFAULTS / "config").resolve()


def _default() -> dict[str, Any]:
    """config/default.yaml and what its studies define."""
    merged = _read(config_folder() / "default.yaml")
    studies = {name: _read(DEFAULTS / "studies" / f"{name}.yaml") for name in merged["studies"]}
    for section in STUDY_PARTS:
        merged[section] = {}
        for name, study in studies.items():
            entries = study.get(section, {})
            if twice := entries.keys() & merged[section].keys():
                raise UserError(f"studies/{name}.yaml: another study has {section}.{min(twice)}")
            merged[section] |= entries
            study[section] = list(entries)
    by_number = sorted(merged["claims"].items(), key=lambda item: int(item[0].lstrip("C")))
    return {**merged, "claims": dict(by_number), "studies": studies}


def resolved_yaml(config: Config, study: str | None = None) -> str:
    """The configuration as YAML that `load_config(files=[...])` reads back.

    Args:
        config: every entry says everything itself.
        study: of this study alone.
    """
    content = config.model_dump(mode="json")
    if study:
        own = content["studies"][study]
        content = {
            key: {name: content[key][name] for name in value} if key in STUDY_PARTS else value
            for key, value in own.items()
        }
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = _parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read the configuration {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8 text") from None
    except ValueError as error:
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected 'key: value' lines, found {type(content).__name__}")
    return content


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A class of its own, so that `_whole_number` is not added to PyYAML's.

    libyaml's, where PyYAML has that: four times as fast, and each job reads a configuration.
    """


def _not_too_deep(text: str) -> None:
    """Refuse nesting that would overflow the C parser's stack."""
    depth = 0
    for event in yaml.parse(text, _Loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise ValueError("too many brackets in each other")


def _no_key_twice(node: yaml.Node, seen: set[int]) -> None:
    """A key that stands twice is an error: one of the values would be lost."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for part in node.value:
            _no_key_twice(part, seen)
    elif isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            _no_key_twice(key, seen)
            _no_key_twice(value, seen)
            if isinstance(key, yaml.ScalarNode):
                line = key.start_mark.line + 1
                if key.value in lines:
                    first = lines[key.value]
                    raise ValueError(f"{key.value!r} stands twice, in lines {first} and {line}")
                lines[key.value] = line


def _whole_number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    """An integer; Python cannot write those of thousands of digits into a message."""
    number = loader.construct_yaml_int(node)
    if number.bit_length() > 1000:
        raise ValueError(f"the number in line {node.start_mark.line + 1} has too many digits")
    return number


_Loader.add_constructor("tag:yaml.org,2002:int", _whole_number)


def _parse(text: str) -> Any:
    """What stands in YAML; ValueError where it is none, or a number or a date that cannot be."""
    try:
        _not_too_deep(text)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _no_key_twice(node, set())
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(str(error)) from None
    except RecursionError:
        raise ValueError("too many references in each other") from None


def _parse_setting(setting: str) -> dict[str, Any]:
    key, equals, text = setting.partition("=")
    if not equals or not all(key.split(".")):
        raise UserError(f"--set {setting!r}: expected key=value, such as evaluation.problems=8")
    try:
        value = _parse(text)
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise UserError(f"--set {setting!r}: the value is not valid YAML: {reason}") from None
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def _one_line(error: ValidationError) -> str:
    errors = [(_key(entry["loc"]), entry) for entry in _each_once(error.errors())]
    key = errors[0][0]
    related = [pair for pair in errors if pair[0] == key or pair[0].startswith(key + ".")]
    key, first = max(related, key=lambda pair: pair[0].count("."))  # a bad item says more
    alternatives = [entry["msg"] for other, entry in related if other == key]  # of a union
    more = len(errors) - len(related)
    rest = f" (and {more} more)" if more else ""
    message = "; or: ".join(alternatives)
    if first["type"] == "missing":
        return f"config: {key} is missing{rest}"
    if first["type"] == "union_tag_not_found":
        return f"config: {key}.kind is missing{rest}"
    if first["type"] == "union_tag_invalid":
        kind, allowed = first["input"]["kind"], first["ctx"]["expected_tags"]
        return f"config: {key}.kind = {_short(kind)}: allowed are {allowed}{rest}"
    if first["type"] in OWN_ERRORS:  # these name the value themselves
        return f"config: {key + ': ' if key else ''}{message}{rest}"
    return f"config: {key} = {_short(first['input'])}: {message}{rest}"


def _each_once(errors: list[Any]) -> Iterator[Any]:
    """Errors without those that other entries only took over (`l2l.config.filled`)."""
    seen = set()
    for entry in errors:
        section, *rest = entry["loc"] or ("",)
        place = tuple(rest[1:]) if section in ENTRIES else (section, *rest)
        if section in ENTRIES and place[:1] not in (("tuning",), ("evaluation",)):
            place = (section, *place)
        error = (place, entry["type"], repr(entry["input"]))
        if error not in seen:
            seen.add(error)
            yield entry


def _key(location: tuple[str | int, ...]) -> str:
    """The dotted key, without the tags that pydantic adds for the members of a union."""
    parts = [
        str(part)
        for index, part in enumerate(location)
        if not (index == 2 and part in PROBLEMS)
        and not (index and part in KINDS.get(str(location[index - 1]), ()))
        and not re.search(r"[\[\]]|^(constrained-)?float$", str(part))
    ]
    return ".".join(parts)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
