"""``python -m rxnopt``."""

from rxnopt.cli import main

main()
