"""The command line: ``rxnopt --help``."""

from __future__ import annotations

from rxnopt.cli.frame import app
from rxnopt.cli.look import list_cards, schema, show, simulate
from rxnopt.cli.work import compare, report, run, train

__all__ = ["compare", "list_cards", "main", "report", "run", "schema", "show", "simulate", "train"]


def main() -> None:
    """Run the command line."""
    app()
