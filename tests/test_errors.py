import pickle

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
