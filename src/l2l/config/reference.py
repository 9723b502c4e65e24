"""The page of every key, docs/configuration.md, from the schema and a configuration."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from l2l.config.base import LARGEST, meanings
from l2l.config.schema import Config

HEAD = f"""# Every configuration key

Written by `l2l config --reference > docs/configuration.md`, from the schema in `src/l2l/config/`.
The values are those of the default protocol, at the place that the heading of a section names.
The code has no default values, except for keys that are marked *may be absent*. A section that
occurs several times is described once, where it occurs first: `problems.mnist` stands for every
problem of kind `mlp`. `l2l config` prints the configuration with every entry complete, and `l2l
config --study cifar` the entries of one study.

## Where values come from

Later layers win:

1. `config/default.yaml`: what all studies share; and the studies, each a file of `studies/` with
   its problems, recipes, experiments, measurements, claims, the words of its section of the page,
   and its `place` there;
2. the overlay of the protocol, `config/smoke.yaml` or `config/paper.yaml`;
3. `config/released.yaml`, with `optimizers: released` and the protocol default;
4. your files (`--config-file`, or Snakemake's `--configfile`);
5. single values (`--set key=value`, or Snakemake's `--config`).

Mappings merge key by key; everything else is replaced, and so is a mapping with another `kind`.
An entry of `problems`, `recipes` or `experiments` with `like: other` takes from that entry what
it does not set itself. Your file may add entries to every section. Experiments and claims that no
study names get a section at the end of the page, unless your file has a study for them: `studies:
{{mine: {{title: My study, experiments: [mine]}}}}`.

Unknown keys, names that do not exist and values out of range are errors of one line. So is a
claim that the configured experiments cannot judge. No whole number except the seed may be above
{LARGEST:,}.
"""
RANGES = {"minimum": "≥ {}", "exclusiveMinimum": "> {}", "maximum": "≤ {}"}
RANGES |= {"exclusiveMaximum": "< {}"}
LONGEST = 75  # characters of a value that stand in a table


def reference(config: Config) -> str:
    """The page, in Markdown.

    Args:
        config: has the values that stand beside the keys.
    """
    schema = Config.model_json_schema()
    sections = {"Config": schema, **schema["$defs"]}
    parts = [HEAD]
    for path, values in _first_of_each_kind(config, ""):
        section = sections[type(values).__name__]
        parts.append(f"## {f'`{path}`' if path else 'The top level'}\n\n{section['description']}\n")
        said = meanings(type(values))
        rows = (
            (f"`{key}`", _type(entry), _value(getattr(values, key), entry), said[key])
            for key, entry in section["properties"].items()
        )
        table = "".join(f"| {' | '.join(map(_escaped, row))} |\n" for row in rows)
        parts.append(f"| key | type | default | meaning |\n|---|---|---|---|\n{table}")
    return "\n".join(parts)


def _first_of_each_kind(
    section: Any, path: str, seen: set[type] | None = None
) -> Iterator[tuple[str, BaseModel]]:
    """Sections within sections, each class where it occurs first: its dotted key and values."""
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


def _value(value: Any, entry: dict[str, Any]) -> str:
    """The configured value; sections and mappings of sections have tables of their own."""
    within: Any = value.values() if isinstance(value, dict) else value
    within = within if isinstance(value, dict | tuple) else (value,)
    if any(isinstance(part, BaseModel) for part in within):
        return "see below"
    text = json.dumps(value, ensure_ascii=False)
    text = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return f"`{text}`{' (may be absent)' if 'default' in entry else ''}"


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
            least, most = entry.get("minItems"), entry.get("maxItems")
            number = f" ({least})" if least == most else f" ({least} or more)"
            return f"list of {_type(entry['items'])}{number if least else ''}"
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
