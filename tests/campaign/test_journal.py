"""The journal keeps what it was given, refuses what is not its own, and says why in one sentence."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path
from tempfile import gettempdir

import pytest

from rxnopt.errors import JournalError
from rxnopt.events import Event, Trial, fold
from rxnopt.journal import Journal

IDENTITY = {"reaction": "toy", "reaction_digest": "a" * 64, "seed": 1, "budget": 9, "noise": True}
ENTRIES = [
    (0, "proposed", {"conditions": {"T": 20.1, "cat": "Pd"}}),
    (1, "proposed", {"conditions": {"T": 0.1 + 0.2, "cat": "Ni"}}),
    (1, "done", {"outputs": {"yield": 1 / 3}, "score": 1 / 3, "noise_free": 0.3}),
    (0, "failed", {"outputs": None}),
    (2, "manual", {"conditions": {"T": 5.0, "cat": "Pd"}, "outputs": {"yield": 7.0}, "score": 7.0}),
    (0, "corrected", {"outputs": {"yield": 9.0}, "score": 9.0}),
    (3, "proposed", {"conditions": {"T": 6.0, "cat": "Pd"}}),
]
FOLDED = [
    Trial(0, {"T": 20.1, "cat": "Pd"}, "done", {"yield": 9.0}, 9.0),
    Trial(1, {"T": 0.1 + 0.2, "cat": "Ni"}, "done", {"yield": 1 / 3}, 1 / 3, 0.3),
    Trial(2, {"T": 5.0, "cat": "Pd"}, "done", {"yield": 7.0}, 7.0, None, True),
    Trial(3, {"T": 6.0, "cat": "Pd"}),
]


@pytest.fixture
def path(tmp_path):
    """A closed journal with the entries above."""
    journal = Journal(tmp_path / "j.db", IDENTITY)
    journal.append(ENTRIES[:2])
    for entry in ENTRIES[2:]:
        journal.append([entry])
    journal.close()
    return tmp_path / "j.db"


def reopen(path, **changes):
    journal = Journal(path, IDENTITY | changes)
    try:
        return journal.events()
    finally:
        journal.close()


def refused(path, **changes):
    """Return the sentence with which a journal is refused, after checking its form."""
    with pytest.raises(JournalError) as caught:
        reopen(path, **changes)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert ";" in message, "what is wrong; what to do"
    return message


@pytest.mark.parametrize("where", ["memory", "file"])
def test_events_come_back_as_they_were_written(tmp_path, where):
    journal = Journal(tmp_path / "j.db" if where == "file" else None, IDENTITY)
    written = [*journal.append(ENTRIES[:3]), *journal.append(ENTRIES[3:])]
    assert journal.events() == written
    assert [(e.trial, e.kind, e.payload) for e in written] == ENTRIES
    assert [e.seq for e in written] == [1, 2, 3, 4, 5, 6, 7]
    assert fold(written) == FOLDED
    journal.close()


def test_a_file_goes_on_after_reopening(path):
    journal = Journal(path, IDENTITY)
    assert fold(journal.events()) == FOLDED
    journal.append([(3, "failed", {"outputs": None})])
    journal.close()
    assert fold(reopen(path))[3].status == "failed"
    assert [entry.name for entry in path.parent.iterdir()] == ["j.db"], "no other file is left"


@pytest.mark.parametrize(
    ("kind", "trial"),
    [("done", 0), ("failed", 1), ("proposed", 3), ("proposed", 5), ("corrected", 3), ("done", 4), ("melted", 4)],
)
def test_events_that_cannot_follow_are_refused(kind, trial):
    events = [Event(i, t, k, p, 0.0, 0.0) for i, (t, k, p) in enumerate(ENTRIES, 1)]
    with pytest.raises(JournalError, match=rf"event 8 \({kind}\) cannot follow on trial {trial}"):
        fold([*events, Event(8, trial, kind, {"conditions": {}, "outputs": None}, 0.0, 0.0)])


def test_events_are_never_changed_or_removed(path):
    with sqlite3.connect(path) as db:
        for change in ("UPDATE events SET payload = '{}'", "DELETE FROM events"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                db.execute(change)
    db.close()


@pytest.mark.parametrize(("key", "value"), [("seed", 2), ("reaction_digest", "b" * 64), ("noise", False)])
def test_another_campaign_is_refused(path, key, value):
    before = path.read_bytes()
    message = refused(path, **{key: value})
    assert "another campaign" in message
    assert key.split("_")[0] in message
    assert path.read_bytes() == before


def test_files_that_are_no_journals_are_refused(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("T = 80 degC, yield 93 %\n" * 100)
    assert "not a SQLite file" in refused(text)
    assert text.read_text().startswith("T = 80")
    empty = tmp_path / "empty.db"
    empty.touch()
    assert "empty" in refused(empty)
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE yields (T REAL)")
    db.close()
    assert "no journal of rxnopt" in refused(other)
    assert "cannot be" in refused(tmp_path / "nowhere" / "j.db")


def test_a_journal_of_a_newer_rxnopt_is_refused(path):
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    assert "update rxnopt" in refused(path)


@pytest.mark.parametrize("share", [0.999, 0.7, 0.4, 0.1, 0.001])
def test_a_truncated_file_is_refused(path, share):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    refused(path)


def test_any_changed_byte_of_an_event_is_found(path):
    data = path.read_bytes()
    for word in (b"20.1", b"0.3333", b"manual", b'"cat": "Ni"'):
        at = data.index(word)
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert "damaged" in refused(path)


def test_a_second_process_is_refused(path):
    held = Journal(path, IDENTITY)
    script = f"from rxnopt.journal import Journal; from pathlib import Path; Journal(Path({str(path)!r}), {IDENTITY!r})"
    second = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "another process works on this journal" in second.stderr.strip().splitlines()[-1]
    assert "another process" in refused(path), "and so is a second campaign of this process"
    held.append([(3, "failed", {"outputs": None})])
    held.close()
    assert len(reopen(path)) == 8


def test_a_journal_that_may_not_be_written_is_refused(tmp_path, path):
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    script = f"""
        import os
        from pathlib import Path
        from rxnopt.journal import Journal
        if os.getuid() == 0:
            os.setuid(65534)  # permissions do not bind root
        try:
            Journal(Path({str(path)!r}), {IDENTITY!r})
        except Exception as error:
            print(type(error).__name__, error)
    """
    for parent in path.relative_to(gettempdir()).parents:  # pytest closes its folders to others
        if parent != Path() and Path(gettempdir()) / parent != tmp_path:
            (Path(gettempdir()) / parent).chmod(0o755)
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False)
    tmp_path.chmod(0o755)
    assert done.stdout.startswith(f"JournalError {path}: "), done.stderr
    assert "read-only" in done.stdout
    assert len(reopen(path)) == 7


def test_a_full_disk_loses_nothing(path):
    script = f"""
        import resource
        from pathlib import Path
        from rxnopt.journal import Journal
        journal = Journal(Path({str(path)!r}), {IDENTITY!r})
        n = len(journal.events())
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, -1))
        try:
            for trial in range(4, 10_000):
                journal.append([(trial, "proposed", {{"conditions": {{"T": 1.0, "note": "x" * 500}}}})])
                n += 1
        except Exception as error:
            print(n, type(error).__name__, error)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False)
    number, _, message = done.stdout.partition(" ")
    assert message.startswith(f"JournalError {path}: the journal cannot be written"), done.stderr
    assert "nothing is lost" in message
    assert int(number) > 20
    assert len(reopen(path)) == int(number), "each event that was reported as written is there, and no other"


def test_a_closed_journal_takes_nothing(path):
    journal = Journal(path, IDENTITY)
    journal.close()
    with pytest.raises(JournalError, match="open the campaign again"):
        journal.append([(3, "failed", {"outputs": None})])
