"""Files of measured data: fetched once from where they were published, checked by hash and kept in the cache.

A file is known by repository, commit, path and SHA-256 (:class:`rxnopt.cards.data.DataFile`). It comes from
:data:`BASE` or, where the environment variable ``RXNOPT_DATA_MIRROR`` names a folder, from that folder, in which it
lies at ``<owner>/<repository>/<commit>/<path>``; so does the copy in the cache. Nothing that is fetched is run.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rxnopt.cards import ReactionCard, load_card
from rxnopt.cards.data import DataFile
from rxnopt.catalogue import has_field, names
from rxnopt.errors import DataError, UnknownNameError, did_you_mean
from rxnopt.files import cache_folder

BASE = "https://raw.githubusercontent.com"
MIRROR = "RXNOPT_DATA_MIRROR"


def mirror() -> str | None:
    """Return the folder that stands in for the internet, None where there is none."""
    return os.environ.get(MIRROR) or None


def data_sets() -> dict[str, ReactionCard]:
    """Return the cards of the catalogue that name files of data, by their names."""
    given = [name for name in names("envs") if has_field("envs", name, "data")]
    found = {name: load_card("envs", name, ReactionCard)[0] for name in given}
    return {name: card for name, card in found.items() if any(file.repository for file in card.data.values())}


def data_set(name: str) -> ReactionCard:
    """Return the card of one data set; raise :class:`UnknownNameError`."""
    known = data_sets()
    if name not in known:
        hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
        raise UnknownNameError(f"there is no data set {name!r}{hint}")
    return known[name]


def published(card: ReactionCard) -> Iterator[tuple[str, DataFile]]:
    """Yield name and file of what a card takes from public repositories."""
    yield from ((name, file) for name, file in card.data.items() if file.repository is not None)


def cached(file: DataFile) -> Path:
    """Return where a published file lies once it is fetched."""
    return cache_folder("data") / file.place


def is_here(file: DataFile) -> bool:
    """Return whether a published file was fetched before."""
    return cached(file).is_file()


def standing(file: DataFile) -> str:
    """Return "yes" where a published file is here as it was published, "damaged" where it has another hash, else "no".

    It is read to the end: a megabyte takes a millisecond.
    """
    if not is_here(file):
        return "no"
    return "yes" if _digest(file) == file.sha256 else "damaged"


def fetch(file: DataFile, data_set: str) -> Path:
    """Return the path of a published file, whole and as published; it is fetched where that was not done before.

    ``data_set`` is named in messages. Raises :class:`rxnopt.errors.DataError` where there is neither internet nor a
    mirror, and for a file with another hash, which is left as it is where it was here before and else not kept.
    """
    path = cached(file)
    if path.is_file():
        verify(file)
        return path
    place = f"{mirror()}/{file.place}" if mirror() else f"{BASE}/{quote(file.place)}"
    try:
        _retrieve(place, file, path, data_set)
    except OSError as error:  # what requests raises is one, too
        _unreachable(place, error, data_set)
    return path


def verify(file: DataFile) -> None:
    """Raise :class:`rxnopt.errors.DataError` unless the file in the cache has the hash of the card."""
    if (found := _digest(file)) != file.sha256:
        raise DataError(
            f"{cached(file)} has SHA-256 {found} where {file.sha256} was published; remove it, and it is fetched anew"
        )


def _digest(file: DataFile) -> str:
    with cached(file).open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _retrieve(place: str, file: DataFile, path: Path, data_set: str) -> None:
    """Fetch with pooch, which gives a file its name only when it is whole and has the hash."""
    import pooch

    def take(source: str, target: str, _: Any) -> None:
        if mirror():
            shutil.copyfile(source, target)
        else:
            pooch.HTTPDownloader(timeout=30)(source, target, None)
        found = pooch.file_hash(target)
        if found != file.sha256:
            raise DataError(
                f"{place} of data set {data_set!r} has SHA-256 {found} where {file.sha256} was published; it is not "
                f"kept: look for a damaged {'mirror' if mirror() else 'download'} and try again"
            )

    pooch.get_logger().setLevel("WARNING")
    path.parent.mkdir(parents=True, exist_ok=True)
    pooch.retrieve(place, f"sha256:{file.sha256}", path.name, path.parent, downloader=take)


def _unreachable(place: str, error: OSError, data_set: str) -> None:
    if mirror():
        raise DataError(
            f"{place} of data set {data_set!r} is not there ({error.strerror or type(error).__name__}); {MIRROR} must "
            "name a folder with <owner>/<repository>/<commit>/<path>"
        ) from error
    raise DataError(
        f"{place} of data set {data_set!r} cannot be fetched ({type(error).__name__}); run "
        f"`rxnopt data get {data_set}` where there is internet, or point {MIRROR} at a folder that holds the file"
    ) from error
