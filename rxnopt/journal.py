"""The journal of a campaign: what happened to every trial, in order, never overwritten.

A journal is one SQLite file (with its ``-wal`` file beside it while it is open) or lives in memory. Each change of
state is one transaction that is on the disk (``synchronous=FULL``) before the campaign goes on. The state of the
trials and of the runs of a laboratory is not stored: it is folded from the events (:mod:`rxnopt.events`,
:mod:`rxnopt.runs`).
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

from rxnopt.errors import JournalBusyError, JournalError
from rxnopt.events import EXTENDED, NO_TRIAL, Entry, Event

SCHEMA = 2
"""Format of new journals. 1: without runs of a laboratory; such a journal is read and gone on with as it is."""
APPLICATION_ID = 0x72786E6F  # "rxno" in the header of the file

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE events (
    seq INTEGER PRIMARY KEY, trial INTEGER NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL,
    wall REAL NOT NULL, monotonic REAL NOT NULL, checksum INTEGER NOT NULL
);
CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER events_last BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
"""


class Journal:
    """The events of one campaign, in a file or (``path`` None) in memory.

    ``identity`` says which campaign it is (cards, seed, budget ...); it is written into a new journal and must agree
    with an old one, but for a larger budget where the campaign is ``extendable``: that becomes an event. An empty one
    agrees with any, which is then :attr:`identity`. Only one process can hold a journal. Errors are
    :class:`JournalError`.
    """

    def __init__(self, path: Path | None, identity: Mapping[str, Any], extendable: bool = False) -> None:
        self.path = path
        self._checksum = 0
        self._next, self.identity = 1, dict(identity)
        if path is None:
            self._db = _connect(":memory:")
            _create(self._db, identity)
            return
        with self._told("opened"):
            if not path.exists():
                _publish(path, identity)
            if path.stat().st_size == 0:
                raise JournalError(f"{path}: the file is empty, no journal; restore it from a copy or remove it")
            if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
                raise sqlite3.OperationalError("readonly")
            self._db = _connect(str(path))
        try:
            budget = self._accept(identity)
            self._extend(budget, identity.get("budget"), extendable)
        except BaseException:
            self._db.close()
            raise

    def _accept(self, identity: Mapping[str, Any]) -> Any:
        """Take the file for this process alone and refuse what is not this campaign's undamaged journal.

        Returns the budget with which it was begun.
        """
        with self._told("opened"):
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("ROLLBACK")
            (application,), (schema,) = (
                self._db.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")
            )
            if application != APPLICATION_ID:
                raise JournalError(f"{self.path}: this SQLite file is no journal of rxnopt; give another file")
            if schema > SCHEMA:
                raise JournalError(
                    f"{self.path}: this journal has format {schema} and this rxnopt reads up to {SCHEMA}; update rxnopt"
                )
            if self._db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise sqlite3.DatabaseError("the pages are inconsistent")
            meta = {key: json.loads(value) for key, value in self._db.execute("SELECT key, value FROM meta")}
        for key, wanted in identity.items():
            if meta.get(key) != wanted and key != "budget":
                raise JournalError(
                    f"{self.path}: this journal belongs to another campaign ({key.replace('_', ' ')} "
                    f"{_short(meta.get(key))} there, {_short(wanted)} here); give the same {key.split('_')[0]} "
                    "or another file"
                )
        self.identity = meta
        return meta.get("budget")

    def _extend(self, begun: Any, wanted: Any, extendable: bool) -> None:
        """Read the events; write down a larger budget, refuse a smaller one."""
        budgets = [event.payload["budget"] for event in self.events() if event.kind == EXTENDED]
        there = budgets[-1] if budgets else begun
        if wanted is None or there == wanted:
            return
        if not extendable:
            raise JournalError(
                f"{self.path}: this campaign has a budget of {there}, not {wanted}, and what its agent proposes "
                f"depends on it; give budget {there} or another file"
            )
        if wanted < there:
            raise JournalError(
                f"{self.path}: this campaign has a budget of {there} and {wanted} is smaller; a budget can only grow: "
                f"give {there} or more, or another file"
            )
        self.append([(NO_TRIAL, EXTENDED, {"budget": wanted})])

    def append(self, entries: Sequence[Entry]) -> list[Event]:
        """Write all entries in one transaction; when this returns they are on the disk, or else none of them is."""
        wall, monotonic, checksum = time.time(), time.monotonic(), self._checksum
        rows, events = [], []
        for seq, (trial, kind, payload) in enumerate(entries, self._next):
            text = json.dumps(payload, allow_nan=False)
            checksum = _link(checksum, seq, trial, kind, text, wall, monotonic)
            rows.append((seq, trial, kind, text, wall, monotonic, checksum))
            events.append(Event(seq, trial, kind, dict(payload), wall, monotonic))
        with self._told("written"):
            try:
                self._db.execute("BEGIN IMMEDIATE")
                self._db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        self._checksum, self._next = checksum, self._next + len(rows)
        return events

    def events(self) -> list[Event]:
        """Read all events, in order; a changed, lost or exchanged line is found by the chain of checksums."""
        events, checksum = [], 0
        with self._told("read"):
            rows = self._db.execute("SELECT * FROM events ORDER BY seq").fetchall()
        for number, (seq, trial, kind, text, wall, monotonic, found) in enumerate(rows, 1):
            checksum = _link(checksum, seq, trial, kind, text, wall, monotonic)
            if seq != number or checksum != found:
                raise JournalError(f"{self.path}: the journal is damaged at event {number}; restore it from a copy")
            events.append(Event(seq, trial, kind, json.loads(text), wall, monotonic))
        self._checksum, self._next = checksum, len(rows) + 1
        return events

    def close(self) -> None:
        """Fold the write-ahead log into the file and let go of it."""
        with self._told("closed"):
            self._db.close()

    def _told(self, what: str) -> contextlib.AbstractContextManager[None]:
        return _told(self.path, what)


@contextlib.contextmanager
def _told(path: Path | None, what: str) -> Iterator[None]:
    """Turn errors of SQLite and of the system into one sentence."""
    try:
        yield
    except (sqlite3.Error, OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        kind = JournalBusyError if "locked" in str(error) else JournalError
        raise kind(f"{path or 'journal in memory'}: {_sentence(error, what)}") from error


def _sentence(error: Exception, what: str) -> str:
    text = str(error)
    if "locked" in text:
        return "another process works on this journal; wait until it ends or give another file"
    if "not a database" in text:
        return "this file is no journal (not a SQLite file); give another file"
    if "readonly" in text:
        return "the journal or its folder is read-only; change the permissions or give another file"
    if "full" in text or "disk I/O" in text:
        return f"the journal cannot be {what} ({text}); nothing is lost: free space on the disk and start again"
    if isinstance(error, OSError) or "unable to open" in text:
        return f"the journal cannot be {what} ({text}); check that the folder exists and may be written"
    if isinstance(error, sqlite3.ProgrammingError):
        return f"the journal cannot be {what} ({text}); open the campaign again"
    return f"the journal is damaged ({text}); restore it from a copy or give another file"


def _connect(database: str) -> sqlite3.Connection:
    return sqlite3.connect(database, timeout=0.2, isolation_level=None)


def _create(db: sqlite3.Connection, identity: Mapping[str, Any]) -> None:
    meta = {"schema": SCHEMA, "created": time.time(), **identity}
    db.execute("PRAGMA journal_mode=MEMORY")
    db.executescript(f"BEGIN; {TABLES} PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={SCHEMA};")
    db.executemany("INSERT INTO meta VALUES (?, ?)", [(key, json.dumps(value)) for key, value in meta.items()])
    db.execute("COMMIT")


def _publish(path: Path, identity: Mapping[str, Any]) -> None:
    """Make a new journal elsewhere and link it to ``path``: whatever happens, a file there is a whole journal."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    with _told(path, "made"):
        draft.unlink(missing_ok=True)
        try:
            with contextlib.closing(_connect(str(draft))) as db:
                _create(db, identity)
            try:
                os.link(draft, path)
            except FileExistsError:
                pass  # another process was first: the lock decides
            except OSError:  # a file system without links, such as exFAT
                draft.rename(path)
        finally:
            draft.unlink(missing_ok=True)


def _link(checksum: int, *row: object) -> int:
    return crc32(repr(row).encode(), checksum)


def _short(value: Any) -> str:
    return f"{value[:8]}..." if isinstance(value, str) and len(value) == 64 else str(value)


__all__ = ["Journal"]
