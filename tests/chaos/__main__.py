"""Everything twice: once undisturbed, once under fire; then the two are compared bit for bit.

python -m tests.chaos --kills 50 --protocol smoke [target ...]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.chaos.compare import compare
from tests.chaos.fire import run_under_fire, steps, write_kills
from tests.workflow.harness import Workflow, copy_workflow

from l2l.data.folder import data_directory


def main() -> int:
    """Exit code 1 where the two runs differ, or there were not so many kills."""
    options = parse()
    wanted = ("--config", f"protocol={options.protocol}", "--", *options.targets)
    folder = options.folder.absolute()
    if folder.exists():
        print(f"{folder} is there already: delete it, or give another --folder", file=sys.stderr)
        return 2
    folder.mkdir(parents=True)
    data = data_directory(None)
    calm = Workflow(options.calm.absolute(), data) if options.calm else None
    if calm is None:
        calm = copy_workflow(folder / "calm", data)
        print(f"undisturbed, in {calm.folder}", flush=True)
        process = calm.start(*wanted, log=folder / "calm.log")
        if process.wait() != 0:
            print(f"the undisturbed run failed: see {folder / 'calm.log'}", file=sys.stderr)
            return 1
    fired = copy_workflow(folder / "fired", data)
    jobs = options.jobs or steps(folder / "calm.log")[1]
    print(f"under fire, in {fired.folder}: {jobs} jobs, {options.kills} kills, seed {options.seed}")
    print("kill     since start  of this one  jobs done  what was killed", flush=True)
    kills = run_under_fire(fired, wanted, options.kills, options.seed, jobs, folder / "starts")
    write_kills(folder / "kills.csv", kills)
    found = compare(calm.folder, fired.folder, options.protocol)
    print(f"{len(kills)} of {options.kills} kills, then the run was done", *found.lines(), sep="\n")
    return 0 if found.same and len(kills) == options.kills else 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("targets", nargs="*", help="figures, such as quadratics; none: everything")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--protocol", default="smoke")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--folder", type=Path, default=Path("chaos"), help="a new one")
    parser.add_argument("--calm", type=Path, help="an undisturbed run that is at hand")
    parser.add_argument("--jobs", type=int, help="how many that one had")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
