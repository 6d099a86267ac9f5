"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from rxnopt.errors import RxnoptError


def cache_folder(name: str) -> Path:
    """Return a folder of the cache: in RXNOPT_CACHE, or in ``rxnopt`` below the user's cache; it need not exist."""
    own = os.environ.get("RXNOPT_CACHE")
    base = Path(own) if own else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rxnopt"
    return base / name


def put_new(path: Path, data: bytes) -> None:
    """Write a file into which people write, such as a card or a plate: never over one with another content.

    Tables and pages of results are nobody's to edit, and are written anew (:func:`put`). Raises
    :class:`rxnopt.errors.RxnoptError` and OSError.
    """
    if path.exists() and (not path.is_file() or path.read_bytes() != data):
        raise RxnoptError(
            f"{path} is there already with another content, and is not written over; remove it, or give another --out"
        )
    put(path.resolve(), data)


def put(path: Path, data: bytes) -> None:
    """Write a file under another name, flush it to the disk and rename it; its folder is made where it is missing.

    No process ever sees half of it, and a full disk leaves what was there before. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException as error:
        draft.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)  # a full disk names no file, and the draft says nothing to anybody
        raise
