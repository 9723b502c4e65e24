"""A finished run as a Workflow Run RO-Crate 0.5: its record, the workflow, and what they are."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from l2l.errors import UserError
from l2l.files import write_json, write_text
from l2l.report.record import record
from l2l.results import Results

METADATA = "ro-crate-metadata.json"
WORKFLOW = Path("workflow")
MAIN = "workflow/Snakefile"
CONFIG = "config.yaml"
README = "README.md"
ABOUT = """# A run of l2l

A replication of Andrychowicz et al. (2016), *Learning to learn by gradient descent by gradient
descent*: protocol `{protocol}`. Losses and verdicts: [tables.md](tables.md). Every comparison:
[claims.csv](claims.csv). The optimizers are in `trained/`, the workflow that made all this in
`workflow/`, and its settings are [config.yaml](config.yaml).
"""
CRATE = "https://w3id.org/ro/crate/1.1"
CONTEXT = "https://w3id.org/ro/terms/workflow-run/context"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
BIOSCHEMAS = "https://bioschemas.org/profiles/{}/1.0-RELEASE"
PAPER = "https://arxiv.org/abs/1606.04474"
LICENCE = "https://spdx.org/licenses/MIT"
SNAKEMAKE = "https://snakemake.readthedocs.io"
AUTHORS = "#authors"
FORMATS = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".md": "text/markdown",
    ".png": "image/png",
    ".py": "text/x-python",
    ".rst": "text/x-rst",
    ".safetensors": "application/octet-stream",
    ".yaml": "application/yaml",
}


def crate(results: Results, folder: Path) -> None:
    """Write the record of a run, the workflow that made it, and metadata that tell the two apart.

    Args:
        results: a finished run in a checkout.
        folder: where to; new or empty, as all that lies in it is part of the crate.

    Raises:
        UserError: the folder has files, there is no workflow, or something of the run is missing.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise UserError(f"{folder} is not empty: name a new folder")
    source = results.root / WORKFLOW
    if not (source / "Snakefile").is_file():
        raise UserError(f"there is no {source}/Snakefile: call l2l crate in a checkout")
    record(results, folder)
    shutil.copytree(source, folder / WORKFLOW, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(results.existing(results.layout.config, "config"), folder / CONFIG)
    write_text(folder / README, ABOUT.format(protocol=results.config.protocol))
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in files]
    write_json(folder / METADATA, _metadata(results, folder, names))


def _metadata(results: Results, folder: Path, names: list[str]) -> dict[str, Any]:
    made = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    versions = made["packages"]
    start, end = _times(results)
    run = f"the protocol {results.config.protocol}, commit {made['commit']}"
    outcomes = [x for x in names if x not in (CONFIG, README) and not x.startswith(f"{WORKFLOW}/")]
    described = [
        {
            "@id": METADATA,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": _each([CRATE, "https://w3id.org/workflowhub/workflow-ro-crate/1.0"]),
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": f"Learning to learn by gradient descent by gradient descent: {run}",
            "description": "Figures, tables, verdicts on the paper's claims, trained optimizers "
            f"and the workflow of a replication of Andrychowicz et al. (2016): {run}.",
            "author": {"@id": AUTHORS},
            "citation": {"@id": PAPER},
            "conformsTo": _each(PROFILES),
            "datePublished": end,
            "hasPart": _each(names),
            "license": {"@id": LICENCE},
            "mainEntity": {"@id": MAIN},
            "mentions": {"@id": "#run"},
            "publisher": {"@id": AUTHORS},
        },
        {
            "@id": "#run",
            "@type": "CreateAction",
            "name": f"A run of {run}",
            "description": f"On {made['machine']['processor']}, {made['machine']['cores']} cores, "
            f"{made['machine']['system']}, Python {made['python']}.",
            "actionStatus": "http://schema.org/CompletedActionStatus",
            "agent": {"@id": AUTHORS},
            "instrument": {"@id": MAIN},
            "object": {"@id": CONFIG},
            "result": _each(outcomes),
            "startTime": start,
            "endTime": end,
        },
        {
            "@id": "#configuration",
            "@type": "FormalParameter",
            "name": "config",
            "description": "Problems, recipes, experiments and claims: snakemake --configfile.",
            "additionalType": "File",
            "conformsTo": {"@id": BIOSCHEMAS.format("FormalParameter")},
            "valueRequired": True,
            "workExample": {"@id": CONFIG},
        },
        {
            "@id": "#snakemake",
            "@type": "ComputerLanguage",
            "name": "Snakemake",
            "identifier": {"@id": SNAKEMAKE},
            "url": {"@id": SNAKEMAKE},
            "version": versions["snakemake"],
        },
        {"@id": AUTHORS, "@type": "Organization", "name": "The l2l authors", "url": {"@id": PAPER}},
        {"@id": LICENCE, "@type": "CreativeWork", "name": "MIT License", "identifier": "MIT"},
        {
            "@id": PAPER,
            "@type": "ScholarlyArticle",
            "name": "Learning to learn by gradient descent by gradient descent",
            "datePublished": "2016",
        },
        *(
            {"@id": url, "@type": "CreativeWork", "name": name, "version": url.rpartition("/")[2]}
            for url, name in PROFILES.items()
        ),
        *(_file(folder, name, versions["l2l"]) for name in names),
    ]
    return {"@context": [f"{CRATE}/context", CONTEXT], "@graph": described}


def _file(folder: Path, name: str, version: str) -> dict[str, Any]:
    path = folder / name
    entity: dict[str, Any] = {
        "@id": name,
        "@type": "File",
        "name": path.name,
        "contentSize": path.stat().st_size,
        "encodingFormat": FORMATS.get(path.suffix, "text/plain"),
    }
    if name == README:
        entity |= {"about": {"@id": "./"}}
    elif name == CONFIG:
        entity |= {"exampleOfWork": {"@id": "#configuration"}}
    elif name == MAIN:
        entity |= {
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
            "name": "From data to every figure of the paper",
            "conformsTo": {"@id": BIOSCHEMAS.format("ComputationalWorkflow")},
            "input": {"@id": "#configuration"},
            "license": {"@id": LICENCE},
            "programmingLanguage": {"@id": "#snakemake"},
            "version": version,
        }
    return entity


def _each(names: Any) -> list[dict[str, str]]:
    return [{"@id": name} for name in names]


def _times(results: Results) -> tuple[str, str]:
    """When the first and the last file of the run were written, ISO 8601 in UTC."""
    files = [path for path in results.layout.results.rglob("*") if path.is_file()]
    moments = [path.stat().st_mtime for path in files]
    first, last = (datetime.fromtimestamp(round(x), UTC) for x in (min(moments), max(moments)))
    return first.isoformat(), last.isoformat()
