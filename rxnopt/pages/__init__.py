"""A page for each environment, written from its card: chemistry, spaces, rewards, optimum, difficulty, landscape."""

from rxnopt.pages.book import write_pages

__all__ = ["write_pages"]
