"""Files are fetched by hash, from a mirror and over HTTP, and nothing else is ever kept."""

import hashlib
import json
import os
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from rxnopt.cards.base import validate
from rxnopt.cards.data import DataFile
from rxnopt.catalogue import parse
from rxnopt.cli import data as commands
from rxnopt.cli.frame import app
from rxnopt.data import cached, data_sets, fetch, fetching, is_here, published, verify
from rxnopt.errors import CardError, DataError

TEXT = b"Ligand,Yield\nPPh3,12\n"
COMMIT = "0123456789abcdef" * 2 + "01234567"
FILE = DataFile(
    repository="some-body/some.data",
    commit=COMMIT,
    path="a folder/grid (1).csv",
    sha256=hashlib.sha256(TEXT).hexdigest(),
)


MEASURED = os.environ.get(fetching.MIRROR, "")


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    monkeypatch.setenv("RXNOPT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv(fetching.MIRROR, str(tmp_path / "mirror"))


@pytest.fixture
def mirrored(tmp_path):
    path = tmp_path / "mirror" / FILE.place
    path.parent.mkdir(parents=True)
    path.write_bytes(TEXT)
    return path


def test_a_file_is_copied_once(mirrored):
    assert not is_here(FILE)
    assert fetch(FILE, "toys").read_bytes() == TEXT
    mirrored.unlink()
    assert fetch(FILE, "toys") == cached(FILE)
    verify(FILE)


def test_a_mirror_without_the_file_is_told(tmp_path):
    with pytest.raises(
        DataError, match=r"mirror/some-body.*'toys' is not there \(No such file.*RXNOPT_DATA_MIRROR must"
    ):
        fetch(FILE, "toys")
    assert not is_here(FILE)


def test_another_file_is_refused_with_both_hashes_and_left_where_it_is(mirrored):
    mirrored.write_bytes(TEXT + b"PCy3,13\n")
    other = hashlib.sha256(TEXT + b"PCy3,13\n").hexdigest()
    with pytest.raises(DataError, match=rf"has SHA-256 {other} where {FILE.sha256} was published; it is not kept"):
        fetch(FILE, "toys")
    assert mirrored.read_bytes() == TEXT + b"PCy3,13\n"
    assert not list(cached(FILE).parent.iterdir())


def test_a_file_that_changed_in_the_cache_is_refused_and_left_as_it_is(mirrored):
    fetch(FILE, "toys").write_bytes(b"my notes")
    with pytest.raises(DataError, match=rf"{FILE.sha256} was published; remove it, and it is fetched anew"):
        fetch(FILE, "toys")
    assert cached(FILE).read_bytes() == b"my notes"


class Cut(BaseHTTPRequestHandler):
    """A server that says more than it sends."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(TEXT)))
        self.end_headers()
        self.wfile.write(TEXT[:5])

    def log_message(self, *_):
        pass


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def served(request, tmp_path, monkeypatch):
    """Serve the mirror folder at the base address, by the handler that a test asks for."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(request.param, directory=str(tmp_path / "mirror"))
                                 if request.param is Quiet else request.param)  # fmt: skip
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.delenv(fetching.MIRROR)
    monkeypatch.setattr(fetching, "BASE", f"http://127.0.0.1:{server.server_address[1]}")
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("served", [Quiet], indirect=True)
def test_a_file_comes_over_http(mirrored, served):
    assert fetch(FILE, "toys").read_bytes() == TEXT


@pytest.mark.parametrize("served", [Quiet], indirect=True)
def test_what_the_server_does_not_have_is_told_with_the_remedy(served):
    with pytest.raises(
        DataError, match=r"cannot be fetched \(HTTPError\); run `rxnopt data get toys` where there is int"
    ):
        fetch(FILE, "toys")


@pytest.mark.parametrize("served", [Cut], indirect=True)
def test_a_download_that_is_cut_leaves_nothing(served):
    with pytest.raises(DataError, match="'toys' cannot be fetched"):
        fetch(FILE, "toys")
    assert not list(cached(FILE).parent.iterdir())


def test_nobody_answers(monkeypatch):
    monkeypatch.delenv(fetching.MIRROR)
    monkeypatch.setattr(fetching, "BASE", "http://127.0.0.1:9")
    with pytest.raises(DataError, match=r"\(ConnectionError\); run `rxnopt data get toys`.*RXNOPT_DATA_MIRROR"):
        fetch(FILE, "toys")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path: a/b.csv", "is no file beside the card; give 'repository', 'commit' and 'sha256'"),
        (f"path: a.csv\nrepository: a/b\ncommit: {COMMIT}", "needs 'repository', 'commit' and 'sha256'"),
        ("path: a/../../b.csv", "must be a path below the repository"),
        ("path: /etc/passwd", "must be a path below the repository"),
        ("path: a.csv\nrepository: ../b", "repository"),
        ("path: a.csv\nsha256: 12", "sha256"),
    ],
)
def test_wrong_entries_are_refused(text, said):
    with pytest.raises(CardError, match=said):
        validate(parse(text, "toy.yaml"), DataFile)


def test_every_data_set_says_licence_size_and_origin():
    for card in data_sets().values():
        assert card.source.doi
        for _, file in published(card):
            assert file.licence in ("MIT", "CC-BY-4.0")
            assert file.bytes


def rxnopt(*arguments):
    assert commands
    return CliRunner().invoke(app, ["data", *arguments])


def test_commands_tell_what_is_not_here():
    listed = rxnopt("list")
    assert listed.exit_code == 0
    assert "amidation" in listed.output
    assert "0 of 1" in listed.output
    files = rxnopt("list", "direct_arylation").output
    assert "cite: Shields et al., Nature 2021, 590, 89" in files
    assert "chemists" in files
    assert rxnopt("verify", "amidation").output == "0 of 1 files are here, and as published\n"
    missed = rxnopt("get", "amidation")
    assert missed.exit_code == 2
    assert "RXNOPT_DATA_MIRROR must name a folder" in missed.output
    assert "did you mean 'amidation'?" in rxnopt("get", "amidaton").output
    assert "did you mean 'experiments'?" in rxnopt("path", "amidation", "experiment").output


@pytest.mark.data
def test_everything_is_fetched_from_the_mirror(monkeypatch):
    monkeypatch.setenv(fetching.MIRROR, MEASURED)
    got = rxnopt("get", "-q")
    assert got.exit_code == 0, got.output
    files = sum(len(dict(published(card))) for card in data_sets().values())
    assert got.output == f"{files} files are here and as published, {files} of them new\n"
    assert rxnopt("verify").output == f"{files} of {files} files are here, and as published\n"
    assert rxnopt("path", "amidation", "experiments").output.strip().endswith("deebo/amidation.csv")
    cached(data_sets()["amidation"].data["experiments"]).write_bytes(b"")
    whole = {row["data set"]: row["here"] for row in json.loads(rxnopt("list", "--json").output)}
    assert whole["amidation"] == "0 of 1, 1 damaged"
    assert whole["deoxyfluorination"] == "1 of 1"
    [listed] = json.loads(rxnopt("list", "amidation", "--json").output)
    assert listed["here"] == "damaged"
    wrong = rxnopt("verify")
    assert wrong.exit_code == 2
    assert "remove it, and it is fetched anew" in wrong.output
