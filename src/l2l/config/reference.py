"""The page that tells every key: docs/configuration.md, from the schema and a configuration."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from l2l.config.base import LARGEST
from l2l.config.schema import Config

HEAD = """# Every configuration key

Written by `l2l config --reference > docs/configuration.md`, from the schema in `src/l2l/config/`.
The values are those of the default protocol (`config/default.yaml`) at the place that a section
names; `config/smoke.yaml` and `config/paper.yaml` override some. Nothing has a default in the
code, but for what is marked *may be absent*. A section that is there several times is told once,
where it is met first: `problems.mnist` stands for every problem of kind `mlp`.

How values come together, later ones win: `config/default.yaml`, the protocol's file,
`config/released.yaml` with `optimizers: released` (protocol default), your files (`--config-file`,
or Snakemake's `--configfile`), single values (`--set key=value`, or Snakemake's `--config`).
Mappings merge key by key, all else is replaced; so is a mapping with another `kind`.
An entry of `problems`, `recipes` or `experiments` with `like: other` takes from that entry what it
does not say. Unknown keys and values out of range are one-line errors (`l2l config` checks).

No whole number may be above 1,000,000,000 but the seed.

What the claims compare stands in `config/claims.yaml`, whose head explains its keys.
"""
RANGES = {"minimum": "≥ {}", "exclusiveMinimum": "> {}", "maximum": "≤ {}"}
RANGES |= {"exclusiveMaximum": "< {}"}


def reference(config: Config) -> str:
    """The page, in Markdown.

    Args:
        config: whose values stand beside the keys.
    """
    schema = Config.model_json_schema()
    sections = {"Config": schema, **schema["$defs"]}
    parts = [HEAD]
    for path, values in _first_of_each_kind(config, ""):
        section = sections[type(values).__name__]
        parts.append(f"## {f'`{path}`' if path else 'The top level'}\n\n{section['description']}\n")
        parts.append(
            "| key | type | default | meaning |\n|---|---|---|---|\n" + _rows(section, values)
        )
    return "\n".join(parts)


def _first_of_each_kind(
    section: Any, path: str, seen: set[type] | None = None
) -> Iterator[tuple[str, BaseModel]]:
    """Sections within sections, each class where it is met first: its dotted key and values."""
    seen = set() if seen is None else seen
    if isinstance(section, BaseModel):
        if type(section) not in seen:
            seen.add(type(section))
            yield path, section
        inner: Any = [(key, getattr(section, key)) for key in type(section).model_fields]
    elif isinstance(section, dict):
        inner = section.items()
    elif isinstance(section, tuple):
        inner = enumerate(section)
    else:
        return
    for key, value in inner:
        yield from _first_of_each_kind(value, f"{path}.{key}" if path else str(key), seen)


def _rows(section: dict[str, Any], values: BaseModel) -> str:
    cells = [
        (f"`{key}`", _type(entry), _value(getattr(values, key), entry), entry["description"])
        for key, entry in section["properties"].items()
    ]
    return "".join(f"| {' | '.join(_escaped(cell) for cell in row)} |\n" for row in cells)


def _value(value: Any, entry: dict[str, Any]) -> str:
    """What the configuration has there; sections and mappings have tables of their own."""
    within: Any = value.values() if isinstance(value, dict) else value
    within = within if isinstance(value, dict | tuple) else (value,)
    if any(isinstance(part, BaseModel) for part in within):
        return "see below"
    return f"`{json.dumps(value)}`{' (may be absent)' if 'default' in entry else ''}"


def _type(entry: dict[str, Any]) -> str:
    """The type and range of an entry of the JSON schema, in words."""
    if "$ref" in entry or "discriminator" in entry:
        return "section"
    if "anyOf" in entry:
        return " or ".join(_type(part) for part in entry["anyOf"])
    if "const" in entry:
        return f"`{entry['const']}`"
    if "enum" in entry:
        return ", ".join(f"`{choice}`" for choice in entry["enum"])
    match entry["type"]:
        case "array":
            least = f" ({entry['minItems']} or more)" if "minItems" in entry else ""
            return f"list of {_type(entry['items'])}{least}"
        case "object":
            inside = entry.get("additionalProperties") or next(
                iter(entry["patternProperties"].values())
            )
            return f"name: {_type(inside)}"
        case "string":
            return "name" if "pattern" in entry else "text"
    limits = {key: entry[key] for key in RANGES if key in entry and entry[key] != LARGEST}
    ranges = [RANGES[key].format(limit) for key, limit in limits.items()]
    return ", ".join([entry["type"], *ranges])


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")
