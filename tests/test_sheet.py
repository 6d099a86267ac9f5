"""Tables of people: what is read, and one sentence with file, line and column for each thing that cannot be meant."""

import numpy as np
import pytest

from rxnopt.errors import SheetError
from rxnopt.sheet import check_replicates, read_sheet


@pytest.fixture
def sheet(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "results.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        before = path.read_bytes()
        try:
            return read_sheet(path)
        finally:
            assert path.read_bytes() == before

    return write


def test_units_may_stand_in_the_header_and_cells_may_be_empty(sheet):
    found = sheet("temperature [K],time (min),flow / L/h, note \n300,1,6,a\n\n310, ,12,b\n")
    assert found.names == ("temperature", "time", "flow", "note")
    assert found.units == ("K", "min", "L/h", None)
    assert found.lines == (2, 4)
    np.testing.assert_allclose(found.numbers("temperature", "degC"), [26.85, 36.85])
    np.testing.assert_allclose(found.numbers("time", "s"), [60.0, np.nan])
    np.testing.assert_allclose(found.numbers("flow", "mL/min"), [100.0, 200.0])
    assert found.texts("note") == ["a", "b"]


def test_words_in_parentheses_that_are_no_unit_belong_to_the_name(sheet):
    assert sheet("yield (isolated)\n5\n").names == ("yield (isolated)",)


@pytest.mark.parametrize("mark", ["﻿", ""])
def test_a_byte_order_mark_is_no_part_of_the_first_name(sheet, mark):
    assert sheet(f"{mark}yield,x\n5,1\n").names == ("yield", "x")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there are no rows"),
        ("x,y\n1;2\n", ":2: the row has not 2 values"),
        ("x;y\n1;2\n", ":1: the columns are separated by semicolons; save it with commas"),
        ("x;y\n1,5;2,5\n", "semicolons"),
        ("x\ty\n1\t2\n", "tabs"),
        ("x y\n1 5\n2 6\n", ":1: the columns are separated by blanks"),
        ("x,y\n1,5,2\n", ":2: the row has not 2 values as the first line has; decimal commas are read as separators"),
        ('x,y\n1,2\n"1,5",2\n', ":3 x: '1,5' has a decimal comma; write 1.5"),
        ('x,y\n1,2\n"1,500",2\n', "write 1.500, or 1500 if thousands are meant"),
        ("x,y\n1,2\nn.d.,2\n", ":3 x: 'n.d.' is not a number; give one, without its unit, or leave the cell empty"),
        ("x,y\n85 %,2\n", ":2 x: '85 %' is not a number"),
        ("x,y\ninf,2\n", ":2 x: 'inf' is not a number"),
        ("x,y\n1_000,2\n", ":2 x: '1_000' is not a number"),
        ("x,x\n1,2\n", ":1: there are two columns 'x'"),
        ("x,\n1,2\n", ":1: a column has no name"),
        ("x [furlong],y\n1,2\n", "x: the unit 'furlong' is one of"),
        ("x [nonsense],y\n1,2\n", ":1 x: unit 'nonsense' is not known"),
        (
            "yield,x\n83,1\n110,1\n",
            ":3 yield: 110 % cannot be: shares lie between 0 and 100, and measured ones from -5",
        ),
        ("yield,x\n-20,1\n", ":2 yield: -20 % cannot be"),
        ("yield [1],x\n83,1\n", ":2 yield: 8300 % cannot be"),
        ("yield,x\n0.5,1\n0.8,1\n", ":1 yield: no value is above 1, as if they were fractions"),
        (b"PK\x03\x04rest", "this is a spreadsheet and no CSV"),
        ("x,y\n1,2\n".encode("utf-16"), "cannot be read as CSV (it is UTF-16 text)"),
        ("x,y\n1,2\n°,2\n".encode("latin-1"), ":3: the file is not UTF-8 text; save it with that encoding"),
        ('x,y\n"1,2\n', "cannot be read as CSV"),
    ],
)
def test_what_cannot_be_meant_is_told_in_one_sentence(sheet, text, said):
    def read():
        found = sheet(text)
        return [found.numbers(name, "%" if name == "yield" else "degC") for name in found.names]

    with pytest.raises(SheetError) as caught:
        read()
    assert said in str(caught.value)
    assert "results.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_there_is_no_such_file(tmp_path):
    with pytest.raises(SheetError, match="there is no such file"):
        read_sheet(tmp_path / "none.csv")


def test_fractions_with_their_unit_become_per_cent(sheet):
    np.testing.assert_allclose(sheet("yield [1],x\n0.5,1\n0.8,1\n").numbers("yield", "%"), [50, 80])


def test_replicates_agree_and_duplicates_that_do_not_are_told_with_both_lines(sheet):
    found = sheet("x,yield\n1,10\n2,90\n1,12\n2,50\n")
    X, y = found.numbers("x")[:, None], found.numbers("yield")
    check_replicates(found, "yield", X[:3], y[:3])
    with pytest.raises(SheetError, match=r":5 yield: 50 disagrees with 90 at the same conditions in line 3"):
        check_replicates(found, "yield", X, y)
