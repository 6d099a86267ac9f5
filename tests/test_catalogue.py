import time

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rxnopt import catalogue
from rxnopt.catalogue import Source, find, names, parse, read
from rxnopt.errors import CardError, UnknownNameError


def data(text):
    return parse(text, "my.yaml").data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("y", "y"),
        ("true", True),
        ("false", False),
        ("True", "True"),
        ("null", None),
        ("~", None),
        ("", None),
        ("1e-3", 1e-3),
        ("57.9e-2", 0.579),
        (".5", 0.5),
        ("-3", -3),
        ("+4", 4),
        ("007", 7),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("1:30", "1:30"),
        ("2020-01-01", "2020-01-01"),
        ("'12'", "12"),
        ("1.2e", "1.2e"),
        (".inf", float("inf")),
        ("123456789012345678901", 123456789012345678901.0),
        ("30 degC", "30 degC"),
        ("<<", "<<"),
    ],
)
def test_plain_values_are_read_as_in_yaml_1_2(text, value):
    found = data(f"field: {text}")["field"]
    assert (found, type(found)) == (value, type(value))


def test_nitric_oxide_stays_nitric_oxide_as_a_key():
    assert data("feed: {NO: 1, O2: 2, on: 3}") == {"feed": {"NO": 1, "O2": 2, "on": 3}}


def test_lines_are_those_of_the_keys():
    source = parse("name: a\n\nmodel:\n  reactions:\n    - k: 1\n    - k: 2\n      Ea: 3\n", "x.yaml")
    assert source.place(("model", "reactions", 1, "Ea")) == "x.yaml:7 model.reactions[1].Ea"
    assert source.place(("model", "reactions", 1)) == "x.yaml:6 model.reactions[1]"
    assert source.place(("model", "reactor", "time")) == "x.yaml:3 model.reactor.time"
    assert source.place(()) == "x.yaml:1"


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(8)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "my.yaml:2: aliases (*a) are not allowed in cards; write the value out"),
        ("a: &x 1\nb: *x", "my.yaml:2: aliases (*x) are not allowed in cards; write the value out"),
        ("a: &x {b: *x}", "my.yaml:1: aliases (*x)"),
        ("a: " + "[" * 10_000, "my.yaml:1: the card is nested too deep or too long; at most 20 levels"),
        ("a:\n" + "".join(" " * (i + 1) + "a:\n" for i in range(40)), "the card is nested too deep"),
        ("a: [" + "1, " * 60_000 + "]", "the card is nested too deep or too long"),
        ("name: a\ntitle: b\nname: c", "my.yaml:3: the key 'name' stands twice; remove one"),
        ("a: {b: 1, b: 2}", "my.yaml:1: the key 'b' stands twice; remove one"),
        ("? [a, b]\n: 1", "my.yaml:1: a key must be plain text"),
        ("a: !!python/object/apply:os.system ['true']", "my.yaml:1: the tag 'tag:yaml.org,2002:python/object/apply:os"),
        ("a: !!int abc", "my.yaml:1: the tag 'tag:yaml.org,2002:int' is not allowed in cards; write a plain value"),
        ("a: !!set {b, c}", "my.yaml:1: the tag"),
        ("a: !mine 1", "my.yaml:1: the tag '!mine' is not allowed"),
        ("a: 1\nb: x\x00y", "my.yaml:2: the character '\\x00' is not allowed; remove it"),
        ("a: \x1b[31m", "my.yaml:1: the character '\\x1b' is not allowed; remove it"),
        ('a: "\\U99999999"', "my.yaml:1: not valid YAML"),
        ("%YAML 1." + "9" * 5000 + "\n---\na: 1", "my.yaml:1: not valid YAML"),
        ("a: 1\nb: [1, 2\nc: 3", "my.yaml:3: not valid YAML"),
        ("a: b: c", "my.yaml:1: not valid YAML: mapping values are not allowed here"),
        ("a:\n\t- b", "my.yaml:2: not valid YAML: found character '\\t' that cannot start any token"),
        ("a: 'open", "my.yaml:1: not valid YAML"),
        ("--- {a: 1}\n--- {b: 2}", "my.yaml:2: not valid YAML"),
        ("", "my.yaml:1: a card is a mapping such as 'name: snar'; this file holds no mapping"),
        ("- a\n- b", "my.yaml:1: a card is a mapping"),
        ("just text", "my.yaml:1: a card is a mapping"),
        ("# a comment", "my.yaml:1: a card is a mapping"),
    ],
)  # fmt: skip
def test_yaml_that_no_card_needs_is_refused_with_file_and_line(text, said):
    started = time.perf_counter()
    with pytest.raises(CardError) as caught:
        parse(text, "my.yaml")
    # an alias bomb would take hours; the longest list above takes a second on a slow machine
    assert time.perf_counter() - started < 5.0
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


MARKS = [*"ab1 \n\t:-?[]{},&*#!|>'\"%@`~<\\", ": ", "- ", "\n  ", "!!int ", "&a ", "*a", "---\n", "...\n"]
INDICATORS = st.lists(st.sampled_from([*MARKS, "%YAML 1.1\n", '"\\U'])).map("".join)


@settings(deadline=None, max_examples=400)
@given(st.text(max_size=60) | INDICATORS)
@example('"\\UFFFFFFFF"')
@example("a: !!float x")
@example('a: "\\ud800"')
def test_arbitrary_text_is_a_mapping_or_a_card_error(text):
    said = ""
    try:
        assert isinstance(data(text), dict)
    except CardError as error:
        said = str(error)
    assert "\n" not in said


@settings(deadline=None, max_examples=100)
@given(content=st.binary(max_size=100))
@example(content=b"\xff\xfea\x00")
@example(content=b"\xef\xbb\xbfa: 1")
def test_arbitrary_bytes_are_a_mapping_or_a_card_error(content, tmp_path_factory):
    place = tmp_path_factory.getbasetemp() / "bytes.yaml"
    place.write_bytes(content)
    said = ""
    try:
        assert isinstance(read(place, "bytes.yaml"), Source)
    except CardError as error:
        said = str(error)
    assert "\n" not in said


def test_a_file_that_is_not_utf_8_names_its_line(tmp_path):
    place = tmp_path / "latin.yaml"
    place.write_bytes("name: a\ntitle: Ölsäure".encode("latin-1"))
    with pytest.raises(CardError, match=r"latin.yaml:2: the file is not UTF-8 text; save it with that encoding"):
        find("envs", place)


def test_a_huge_file_is_refused_without_being_read(tmp_path):
    place = tmp_path / "huge.yaml"
    with place.open("wb") as file:
        file.truncate(50_000_000)  # a sparse file of 50 MB
    with pytest.raises(CardError, match="more than 1,000,000 bytes"):
        find("envs", place)


@pytest.mark.parametrize("name", ["/dev/zero", "no/such.yaml", "a\x00b.yaml", "/", "x" * 5000 + ".yaml"])
def test_what_is_no_file_is_refused(name):
    with pytest.raises(CardError) as caught:
        find("envs", name)
    assert "\n" not in str(caught.value)


def test_an_unknown_name_is_answered_with_the_nearest_one():
    with pytest.raises(UnknownNameError) as caught:
        find("envs", "snra")
    assert str(caught.value) == "no card 'snra' in envs; did you mean 'snar'?"


@pytest.mark.parametrize("gym_id", ["SnAr-v0", "rxnopt/SnAr-v0"])
def test_a_reaction_is_also_known_by_its_gymnasium_id(gym_id):
    assert find("envs", gym_id).data["name"] == "snar"
    with pytest.raises(UnknownNameError, match="no card 'SnAr-v9' in envs"):
        find("envs", "SnAr-v9")


@pytest.mark.parametrize("kind", ["envs", "agents", "experiments"])
def test_every_card_of_the_catalogue_is_found_by_its_name(kind):
    assert names(kind) == sorted(names(kind))
    for name in names(kind):
        assert find(kind, name).data["name"] == name


def test_our_reader_agrees_with_pyyaml_where_the_two_yaml_versions_do():
    folder = catalogue.catalogue("envs")
    for name in names("envs"):
        text = (folder / f"{name}.yaml").read_text(encoding="utf-8")
        theirs = yaml.safe_load(text)
        ours = parse(text, name).data
        assert ours.keys() == theirs.keys()
        assert ours["parameters"].keys() == theirs["parameters"].keys()
        assert ours["title"] == theirs["title"]
