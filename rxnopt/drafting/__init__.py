"""Own data: a card drafted from a table of results."""

from rxnopt.drafting.draft import Draft, draft

__all__ = ["Draft", "draft"]
