"""The command `l2l`: each stage of the replication as a small command."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; one line where a package is missing that an extra would bring."""
    if sys.argv[1:] == ["--version"]:  # needs no extra
        from l2l.provenance import version

        print(f"l2l {version()}")
        return
    try:
        from l2l.cli.app import main as run

        run()
    except ModuleNotFoundError as error:
        package = (error.name or "l2l").partition(".")[0]
        if package == "l2l":
            raise
        extra = "paint" if sys.argv[1:2] in (["paint"], ["card"]) else "replicate"
        print(
            f"l2l: {package} is missing, which this command needs: pip install 'l2l[{extra}]'",
            file=sys.stderr,
        )
        sys.exit(2)
