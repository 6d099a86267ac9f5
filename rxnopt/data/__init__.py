"""Measured data: fetched where they were published, checked by hash, read as text."""

from rxnopt.data.descriptors import published_descriptors
from rxnopt.data.fetching import cached, data_set, data_sets, fetch, is_here, mirror, published, standing, verify
from rxnopt.data.reading import Rows, content

__all__ = [
    "Rows",
    "cached",
    "content",
    "data_set",
    "data_sets",
    "fetch",
    "is_here",
    "mirror",
    "published",
    "published_descriptors",
    "standing",
    "verify",
]
