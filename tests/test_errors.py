import pickle

import numpy as np
import pytest

from rxnopt import errors
from rxnopt.errors import RxnoptError, UnknownNameError, did_you_mean


@pytest.mark.parametrize(
    "kind", [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, RxnoptError)]
)
def test_every_error_shows_its_sentence_and_survives_a_trip_to_another_process(kind):
    error = pickle.loads(pickle.dumps(kind("bed = 3 is not allowed; give 1 or 2")))
    assert type(error) is kind
    assert str(error) == "bed = 3 is not allowed; give 1 or 2"
    assert isinstance(error, RxnoptError)


def test_errors_of_names_and_values_are_caught_by_what_python_programmers_expect():
    assert issubclass(UnknownNameError, KeyError)
    assert issubclass(errors.ConditionsError, ValueError)


@pytest.mark.parametrize("value", [1, 0, True, 2.0, "2", None, np.float64(2), np.bool_(True)])
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(errors.ConditionsError) as caught:
        errors.at_least("levels", value, 2)
    assert str(caught.value) == f"levels={value!r} is not allowed; give a whole number from 2 on"


@pytest.mark.parametrize("value", [2, np.int64(2), np.uint8(2)])
def test_a_whole_number_of_any_kind_is_an_int(value):
    assert type(errors.at_least("levels", value, 2)) is int


@pytest.mark.parametrize(
    ("given", "allowed", "said"),
    [
        ("temperatur", ["time", "temperature"], "; did you mean 'temperature'?"),
        ("xyz", ["time", "temperature"], ""),
        ("anything", [], ""),
        (12, ["123", "9"], "; did you mean '123'?"),
    ],
)
def test_did_you_mean(given, allowed, said):
    assert did_you_mean(given, allowed) == said
