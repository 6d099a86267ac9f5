"""The command line: ``rxnopt --help``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; Ctrl-C ends it with one line, also while the commands are loaded."""
    try:
        from rxnopt.cli import data, explain, lab, look, own, plate, twin, work  # noqa: F401  (registers the commands)
        from rxnopt.cli.frame import app

        app()
    except KeyboardInterrupt:
        print("stopped by Ctrl-C", file=sys.stderr)  # noqa: T201
        sys.exit(130)


__all__ = ["main"]
