import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from rxnopt.cards.parameters import Binary, Categorical, Continuous, Integer
from rxnopt.errors import ConditionsError
from rxnopt.space import Parameter, Space

UNITS = st.sampled_from(["1", "min", "degC", "%", "mol/L"])
LEVELS = st.lists(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=6), unique=True)


@st.composite
def continuous(draw):
    scale = draw(st.sampled_from(["linear", "log"]))
    low = draw(st.floats(1e-6, 1e6) if scale == "log" else st.floats(-1e6, 1e6))
    high = draw(st.floats(low, 2e6).filter(lambda x: x > low + 1e-6 * max(1.0, abs(low))))
    return Continuous(low=low, high=high, unit=draw(UNITS), scale=scale)


@st.composite
def integer(draw):
    low = draw(st.integers(-1000, 1000))
    return Integer(kind="integer", low=low, high=draw(st.integers(low + 1, low + 1000)), unit=draw(UNITS))


CARDS = st.one_of(
    continuous(),
    integer(),
    LEVELS.filter(lambda names: len(names) > 1).map(lambda names: Categorical(levels={name: {} for name in names})),
    st.just(Binary(kind="binary")),
)
SPACES = st.lists(CARDS, min_size=1, max_size=5).map(
    lambda cards: Space.from_cards({f"p{i}": c for i, c in enumerate(cards)})
)
MIXED = Space.from_cards(
    {
        "time": Continuous(low=1, high=100, unit="min", scale="log"),
        "temperature": Continuous(low=20, high=90, unit="degC"),
        "portions": Integer(kind="integer", low=1, high=4),
        "solvent": Categorical(levels={"water": {}, "ethanol": {}, "toluene": {}}),
        "stirred": Binary(kind="binary"),
    }
)
GOOD = {"time": 10.0, "temperature": 25.0, "portions": 2, "solvent": "ethanol", "stirred": 1}


@st.composite
def points(draw):
    """A space and some points of it, found from the unit cube; corners included."""
    space = draw(SPACES)
    cell = st.floats(0, 1) | st.sampled_from([0.0, 1.0, 0.5])
    rows = draw(st.lists(st.lists(cell, min_size=len(space), max_size=len(space)), min_size=0, max_size=4))
    return space, np.array(rows, dtype=float).reshape(len(rows), len(space))


@settings(deadline=None, max_examples=100)
@given(points())
def test_natural_values_and_back(case):
    space, U = case
    X = space.from_unit(U)
    space.check(X)
    np.testing.assert_array_equal(space.to_array(space.to_dicts(X)), X)
    np.testing.assert_array_equal(space.to_array(space.to_frame(X)), X)
    assert space.to_frame(X).to_dict("records") == space.to_dicts(X)
    assert list(space.to_frame(X).columns) == list(space.names)


@settings(deadline=None, max_examples=100)
@given(points())
def test_unit_cube_and_back(case):
    space, U = case
    X = space.from_unit(U)
    again = space.to_unit(X)
    assert ((again >= 0) & (again <= 1)).all()
    for j, parameter in enumerate(space):
        if parameter.discrete:
            np.testing.assert_array_equal(space.from_unit(again)[:, j], X[:, j])
            assert (np.abs(again[:, j] - U[:, j]) <= 0.5 / parameter.count + 1e-12).all()
        else:
            # spans of 1e6 between bounds of 1e6 leave 1e-10 of the unit; narrow spans (1e-6 of the bound) leave 1e-9
            np.testing.assert_allclose(again[:, j], U[:, j], rtol=0, atol=2e-9)


@settings(deadline=None, max_examples=100)
@given(points())
def test_action_box_and_back(case):
    space, U = case
    X = space.from_unit(U)
    A = space.to_box(X)
    assert A.shape == (len(X), space.width)
    assert ((A >= -1 - 1e-12) & (A <= 1 + 1e-12)).all()
    back = space.from_box(A)
    for j, parameter in enumerate(space):
        if parameter.discrete:
            np.testing.assert_array_equal(back[:, j], X[:, j])
        else:
            span = parameter.high - parameter.low
            # the logarithm of a range of 1e12 stretches rounding by 1e6 / span at most
            np.testing.assert_allclose(back[:, j], X[:, j], rtol=1e-9, atol=1e-9 * span)


@settings(deadline=None, max_examples=100)
@given(SPACES, st.integers(0, 2**32 - 1))
def test_samples_are_allowed_and_repeat(space, seed):
    X = space.sample(20, np.random.default_rng(seed))
    space.check(X)
    np.testing.assert_array_equal(X, space.sample(20, np.random.default_rng(seed)))


@settings(deadline=None, max_examples=100)
@given(SPACES)
def test_corners_of_the_cube_are_the_bounds(space):
    low, high = space.from_unit(np.zeros((1, len(space)))), space.from_unit(np.ones((1, len(space))))
    # exp(log(5)) is 4.999999999999999 and -1 + (1 - -1e-57) is 0: a rounding error short of the bound, never beyond
    for j, p in enumerate(space):
        slack = 1e-12 * max(p.high - p.low, abs(p.high))
        assert p.low <= low[0, j] <= p.low + slack
        assert p.high - slack <= high[0, j] <= p.high
    space.check(np.concatenate([low, high]))


def test_log_scale_is_even_in_the_logarithm():
    X = MIXED.from_unit(np.array([[0.5, 0.5, 0.5, 0.5, 0.5]]))
    assert X[0, 0] == pytest.approx(10.0, rel=1e-12)
    assert X[0, 1] == pytest.approx(55.0, rel=1e-12)


def test_discrete_values_share_the_unit_evenly():
    U = np.full((1200, 5), 0.5)
    U[:, 2] = U[:, 3] = U[:, 4] = (np.arange(1200) + 0.5) / 1200
    X = MIXED.from_unit(U)
    for j, count in ((2, 4), (3, 3), (4, 2)):
        assert np.unique(X[:, j], return_counts=True)[1].tolist() == [1200 // count] * count


def test_the_largest_column_of_a_block_is_the_level():
    A = np.zeros((1, MIXED.width))
    A[0, 3:6] = [0.1, -0.4, 0.2]
    assert MIXED.to_dicts(MIXED.from_box(A))[0]["solvent"] == "toluene"
    np.testing.assert_array_equal(MIXED.to_box(MIXED.to_array(GOOD))[0, 3:6], [-1, 1, -1])


def test_natural_values_keep_their_types():
    values = MIXED.to_dicts(MIXED.to_array(GOOD))[0]
    assert values == GOOD
    assert {name: type(value) for name, value in values.items()} == {
        "time": float, "temperature": float, "portions": int, "solvent": str, "stirred": int,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"temperature": 90.5}, "temperature = 90.5 is not allowed; give a number in [20.0, 90.0] degC"),
        ({"temperature": 90.00000001}, "temperature = 90.00000001 is not allowed; give a number in [20.0, 90.0] degC"),
        ({"temperature": math.nan}, "temperature = nan is not allowed; give a number in [20.0, 90.0] degC"),
        ({"temperature": math.inf}, "temperature = inf is not allowed; give a number in [20.0, 90.0] degC"),
        ({"temperature": "hot"}, "temperature = 'hot' is not a number; give one in [20.0, 90.0] degC"),
        ({"temperature": None}, "temperature = None is not a number; give one in [20.0, 90.0] degC"),
        ({"temperature": [1, 2]}, "temperature = [1, 2] is not a number; give one in [20.0, 90.0] degC"),
        ({"portions": 2.5}, "portions = 2.5 is not allowed; give a whole number in [1, 4]"),
        ({"portions": 5}, "portions = 5.0 is not allowed; give a whole number in [1, 4]"),
        ({"stirred": 2}, "stirred = 2.0 is not allowed; give a whole number in [0, 1]"),
        ({"solvent": "etanol"}, "solvent = 'etanol' is no level of this parameter; did you mean 'ethanol'?"),
        ({"solvent": 1}, "solvent = 1 is no level of this parameter; levels are water, ethanol, toluene"),
        ({"temprature": 30}, "there is no parameter 'temprature'; did you mean 'temperature'?"),
        ({"xyz": 30}, "there is no parameter 'xyz'; parameters are time, temperature, portions, solvent, stirred"),
    ],
)
def test_conditions_that_are_not_allowed_are_refused_and_never_clamped(changes, said):
    with pytest.raises(ConditionsError) as caught:
        MIXED.to_array(GOOD | changes)
    assert str(caught.value) == said


def test_a_number_beyond_floats_is_refused():
    with pytest.raises(ConditionsError, match="is not a number"):
        MIXED.to_array(GOOD | {"temperature": 10**400})


def test_missing_conditions_are_named():
    with pytest.raises(ConditionsError, match=r"^solvent is missing; give a value for each of time, temperature"):
        MIXED.to_array({name: value for name, value in GOOD.items() if name != "solvent"})


def test_a_gap_in_a_table_is_refused():
    frame = pd.DataFrame([GOOD, GOOD])
    frame.loc[1, "temperature"] = math.nan
    with pytest.raises(ConditionsError, match="temperature = nan is not allowed"):
        MIXED.to_array(frame)


VALUES = st.sampled_from(
    [
        25,
        25.0,
        "25",
        "2",
        2,
        True,
        np.float32(30),
        np.int8(3),
        10**400,
        1e300,
        "ethanol",
        "hot",
        "",
        None,
        math.nan,
        2.5,
        pd.NA,
        pd.Timestamp(0),
        (1, 2),
        [1],
        "1_0",
        " 3 ",
        b"4",
        1j,
    ]
)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_table_is_read_as_its_rows_are(data):
    frame = pd.DataFrame([GOOD] * 4)
    for _ in range(data.draw(st.integers(1, 3))):
        name, row = data.draw(st.sampled_from(list(GOOD))), data.draw(st.integers(0, 3))
        column = frame[name].tolist()
        column[row] = data.draw(VALUES)
        frame[name] = pd.Series(column, dtype=data.draw(st.sampled_from([None, object])))
    expected, said = [], None
    for i, row in enumerate(frame.to_dict("records")):
        try:
            expected.append(MIXED.to_array(row)[0])
        except ConditionsError as error:
            said = f"row {i}: {error}"
            break
    if said is None:
        np.testing.assert_array_equal(MIXED.to_array(frame), expected)
    else:
        with pytest.raises(ConditionsError) as caught:
            MIXED.to_array(frame)
        assert str(caught.value) == said


@pytest.mark.parametrize("dtype", ["category", "string", object])
def test_levels_of_a_table_may_be_of_any_type_of_text(dtype):
    frame = pd.DataFrame([GOOD, GOOD | {"solvent": "toluene"}])
    frame["solvent"] = frame["solvent"].astype(dtype)
    frame["portions"] = frame["portions"].astype("Int64")
    np.testing.assert_array_equal(MIXED.to_array(frame)[:, [2, 3]], [[2, 1], [2, 2]])


def test_a_table_is_read_by_columns_and_not_by_experiments(monkeypatch):
    frame = MIXED.to_frame(MIXED.sample(1000, np.random.default_rng(0)))
    monkeypatch.setattr(Parameter, "number", lambda *_: pytest.fail("one by one"))
    assert MIXED.to_array(frame).shape == (1000, 5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda frame: frame.drop(columns="solvent"), "solvent is missing; give a value for each of time"),
        (lambda frame: frame.assign(other=1), "there is no parameter 'other'; parameters are time"),
        (lambda frame: pd.concat([frame, frame[["portions"]]], axis=1), "there are two columns 'portions'"),
        (lambda frame: frame["time"], "conditions are a dict, a list of dicts or a DataFrame, not Series"),
    ],
)
def test_tables_of_other_columns_are_refused(change, said):
    with pytest.raises(ConditionsError, match=f"^{said}"):
        MIXED.to_array(change(pd.DataFrame([GOOD, GOOD])))


@pytest.mark.parametrize("conditions", [None, 3, "text", [1, 2], ["time"], [[1, 2, 3, 4, 5]], np.zeros((1, 5))])
def test_what_are_no_conditions_is_refused(conditions):
    with pytest.raises(ConditionsError, match=r"^conditions are a dict, a list of dicts or a DataFrame, not "):
        MIXED.to_array(conditions)


@settings(deadline=None, max_examples=100)
@given(
    st.dictionaries(st.sampled_from([*GOOD, "other", 3]), st.none() | st.floats() | st.text(max_size=4) | st.integers())
)
@example({})
def test_arbitrary_conditions_are_allowed_or_a_conditions_error(changes):
    said = ""
    try:
        MIXED.check(MIXED.to_array(GOOD | changes))
    except ConditionsError as error:
        said = str(error)
    assert "\n" not in said


@settings(deadline=None, max_examples=100)
@given(points(), st.data())
def test_arrays_out_of_bounds_are_refused(case, data):
    space, U = case
    assume(len(U) > 0)
    X = space.from_unit(U)
    i, j = data.draw(st.integers(0, len(X) - 1)), data.draw(st.integers(0, len(space) - 1))
    parameter = space.parameters[j]
    beyond = [np.nextafter(parameter.low, -np.inf), np.nextafter(parameter.high, np.inf), np.nan, np.inf, -np.inf]
    X[i, j] = data.draw(st.sampled_from([*beyond, parameter.low + 0.5] if parameter.discrete else beyond))
    with pytest.raises(ConditionsError, match=f"^{parameter.name} = "):
        space.check(X)


@pytest.mark.parametrize("shape", [(5,), (1, 4), (1, 6), (1, 1, 5)])
def test_arrays_of_another_shape_are_refused(shape):
    with pytest.raises(ConditionsError, match=r"expected \(n, 5\)"):
        MIXED.check(np.zeros(shape))


def test_no_conditions_are_an_empty_array():
    assert MIXED.to_array([]).shape == (0, 5)
    assert MIXED.to_dicts(MIXED.to_array([])) == []
    assert MIXED.to_box(MIXED.to_array([])).shape == (0, MIXED.width)
