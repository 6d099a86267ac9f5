"""The core of the twins, by a clock that stands still until it is moved."""

import math

import numpy as np
import pytest

from rxnopt.errors import CardError
from rxnopt.simulators import load
from rxnopt.testing.problems import toy
from rxnopt.twin import Fault, Ledger, ManualClock, Plant, Rig, Scenario, load_scenario, starts
from rxnopt.twin.motion import Heater, Ramp
from rxnopt.twin.runs import Busy, Latched, Refusal

SETTING = {"temperature": 80.0, "time": 5.0, "equivalents": 3.0}


def rig(*faults, plant=None, clock=None, **options):
    scenario = Scenario(plant=plant or Plant(), faults=tuple(faults))
    return Rig(toy("smooth"), clock or ManualClock(), scenario, **{"seed": 1, **options})


def begin(twin, run_id="a", setting=SETTING):
    twin.set(setting)
    twin.asked(run_id)
    return twin.start(run_id)


def finish(twin, seconds=5000.0, step=10.0):
    phases = []
    for _ in range(int(seconds / step)):
        twin.clock.advance(step)
        phases += [phase for phase, _ in twin.tick()]
    return phases


def test_the_heater_is_the_damped_oscillator_that_it_says_it_is():
    """Against the differential equation, integrated by SciPy."""
    from scipy.integrate import solve_ivp

    heater = Heater(10.0, 25.0, 80.0, tau=40.0, damping=0.6, tolerance=0.2)
    decay, omega = 1 / 40.0, 1 / (40.0 * 0.6)
    times = np.linspace(10.0, 400.0, 50)
    solved = solve_ivp(
        lambda _, y: [y[1], omega**2 * (80.0 - y[0]) - 2 * decay * y[1]], (10.0, 400.0), [25.0, 0.0],
        t_eval=times, rtol=1e-10, atol=1e-10,
    )  # fmt: skip
    assert np.allclose([heater.value(t) for t in times], solved.y[0], atol=1e-6)
    assert np.allclose([heater.rate(t) for t in times], solved.y[1], atol=1e-7)
    assert solved.y[0].max() > 82  # it overshoots
    later = np.linspace(heater.settled(), heater.settled() + 1000, 500)
    assert max(abs(heater.value(t) - 80.0) for t in later) <= 0.2
    turned = heater.to(50.0, 60.0)
    assert (turned.value(60.0), turned.rate(60.0)) == pytest.approx((heater.value(60.0), heater.rate(60.0)))


def test_a_pump_ramps():
    ramp = Ramp(0.0, 1.0, 5.0, 0.2)
    assert [ramp.value(t) for t in (0, 10, 20, 30)] == [1.0, 3.0, 5.0, 5.0]
    assert ramp.settled() == 20.0


def test_a_run_passes_its_phases_and_gives_the_yield_of_the_simulator():
    twin = rig(plant=Plant(noise=0.0, tolerance=1e-9))
    run = begin(twin)
    assert twin.state == "running"
    assert finish(twin) == ["running", "before_state", "after"]
    assert twin.state == "done"
    reaction = toy("smooth")
    X = reaction.space.to_array(SETTING)
    draws = reaction.measurement.chance.of_trials(1, [0])
    expected = reaction.experiment(X, draws)[1].values[0, 0]
    assert run.outputs[0]["yield"] == pytest.approx(expected, abs=1e-6)
    assert [line["kind"] for line in twin.ledger.lines] == ["boot", "asked", "start", "measured", "end"]
    assert twin.ledger.of("measured")[0]["outputs"] == run.outputs


def test_equal_seeds_and_times_give_equal_twins():
    first, second = (rig() for _ in range(2))
    for twin in (first, second):
        begin(twin)
        finish(twin)
    assert first.ledger.lines == second.ledger.lines
    assert first.shown == second.shown
    assert first.sensed() == second.sensed()


def test_how_often_it_is_looked_at_changes_nothing_in_the_result():
    runs = []
    for step in (1.0, 37.0, 5000.0):
        twin = rig()
        runs.append(begin(twin))
        finish(twin, step=step)
    assert runs[0] == runs[1] == runs[2]


def test_what_is_left_of_the_run_before_is_in_the_sample():
    clean, mixed = (rig(plant=Plant(volumes=v, noise=0.0)) for v in (50.0, 1.0))
    yields = []
    for twin in (clean, mixed):
        begin(twin, "a", {"temperature": 93.0, "time": 2.5, "equivalents": 3.8})
        finish(twin, 50_000.0, 100.0)
        run = begin(twin, "b", {"temperature": 30.0, "time": 9.9, "equivalents": 1.0})
        finish(twin, 50_000.0, 100.0)
        yields.append(run.outputs[0]["yield"])
    assert yields[1] > yields[0] + 0.2 * 80  # exp(-1) of the good one


def test_a_drifting_sensor_moves_the_reactor_and_not_the_reading():
    twin = rig(plant=Plant(drift=10.0, noise=0.0))
    begin(twin)
    finish(twin, 3600.0)
    assert twin.sensed()["temperature"] == pytest.approx(80.0, abs=1e-6)
    assert twin.plumbing.true(3600.0)["temperature"] == pytest.approx(70.0, abs=1e-6)


def test_reagent_runs_out_and_reactors_clog():
    twin = rig(plant=Plant(reagent=40.0))
    failures = []
    for k in range(4):
        run = begin(twin, f"r{k}")
        finish(twin)
        failures.append((run.failure, run.message))
    assert failures[0] == (None, "")
    assert failures[-1] == ("machine", "the reagent bottle is empty")
    used = sum(line["reagent_mL"] for line in twin.ledger.of("start"))
    assert twin.sensed()["reagent"] == pytest.approx(40.0 - used)
    twin = rig(plant=Plant(fouling=4.5))
    runs = []
    for k in range(2):
        runs.append(begin(twin, f"r{k}"))
        finish(twin)
    assert [run.failure for run in runs] == [None, "chemistry"]
    assert runs[1].message == "clogged at 11.0 bar"


def test_a_rig_that_is_busy_latched_or_asked_for_nonsense_starts_nothing():
    twin = rig()
    begin(twin)
    with pytest.raises(Busy):
        twin.start("b")
    twin.trip("estop")
    with pytest.raises(Latched, match="a person resets it"):
        twin.start("b")
    twin.reset()
    for setting in ({"temperature": 500.0}, {"temperature": math.nan}, {"temperature": None}, {"heat": 1.0}):
        with pytest.raises(Refusal):
            twin.set(setting)
    assert starts(twin.ledger) == {"a": 1}
    assert twin.find("a").state == "failed"


def test_the_same_run_id_is_started_again_by_a_device_that_does_not_care():
    twin = rig()
    for _ in range(2):
        begin(twin)
        finish(twin)
    assert starts(twin.ledger) == {"a": 2}


def test_an_abort_takes_its_time_and_a_safe_state_cools():
    twin = rig()
    run = begin(twin)
    finish(twin, 300.0)
    twin.safe()
    assert run.state == "running"
    finish(twin, 300.0)
    assert run.state == "cancelled"
    assert twin.sensed()["temperature"] == pytest.approx(25.0, abs=1.0)
    twin.safe()
    assert twin.find("a").state == "cancelled"


@pytest.mark.parametrize(("forget", "state"), [(False, "failed"), (True, None)])
def test_power_is_lost_and_memory_with_it_or_not(tmp_path, forget, state):
    twin = rig(folder=tmp_path)
    begin(twin, "a")
    finish(twin)
    begin(twin, "b")
    again = rig(folder=tmp_path, forget=forget)
    assert again.boot_id != twin.boot_id
    assert again.state == ("idle" if forget else "failed")
    found = [again.find(run_id) for run_id in "ab"]
    assert [run and run.state for run in found] == ([None, None] if forget else ["done", state])
    assert [line["message"] for line in again.ledger.of("end")] == ["", "power lost"]
    assert starts(tmp_path / "physical.jsonl") == {"a": 1, "b": 1}


def test_a_journal_that_was_cut_off_in_a_line_goes_on(tmp_path):
    twin = rig(folder=tmp_path)
    begin(twin)
    path = tmp_path / "physical.jsonl"
    with path.open("ab") as file:
        file.write(b'{"kind": "sta')
    ledger = Ledger(path)
    ledger.write("end", 1.0, run_id="a")
    assert [line["kind"] for line in Ledger(path).lines] == ["boot", "asked", "start", "end"]


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ("nan", lambda run: math.isnan(run.outputs[0]["yield"])),
        ("over", lambda run: run.outputs[0]["yield"] == 110.0),
        ("none", lambda run: run.outputs == [] and run.state == "done"),
        ("no_result", lambda run: run.outputs == []),
        ("bad", lambda run: run.quality == "bad"),
        ("uncertain", lambda run: run.quality == "uncertain"),
        ("stale", lambda run: run.shown_as == "a"),
        ("clog", lambda run: run.failure == "chemistry"),
        ("stuck", lambda run: abs(run.achieved[0]["temperature"] - 80.0) > 10),
        ("never_finishes", lambda run: run.state == "analysing"),
    ],
)
def test_faults_spoil_the_run_that_they_are_for(fault, seen):
    twin = rig(Fault(fault=fault, run=2))
    good = begin(twin, "a")
    finish(twin)
    assert good.state == "done"
    assert not seen(good) or fault == "stale"
    twin.plumbing.rest(twin.clock.now())
    finish(twin, 1000.0)
    run = begin(twin, "b")
    finish(twin)
    assert seen(run)


def test_faults_of_a_result_reach_what_is_measured_where_the_objective_follows_from_it():
    faults = (Fault(fault="nan", run=1), Fault(fault="over", run=2))
    twin = Rig(load("snar"), ManualClock(), Scenario(faults=faults), seed=1)
    setting = {"residence_time": 1.0, "equivalents": 2.0, "concentration": 0.2, "temperature": 80.0}
    for run_id, wrong in (("a", [math.nan] * 4), ("b", [110.0, 110.0])):
        run = begin(twin, run_id, setting)
        finish(twin)
        twin.plumbing.rest(twin.clock.now())
        finish(twin, 1000.0)
        assert list(run.outputs[0].values())[: len(wrong)] == pytest.approx(wrong, nan_ok=True)
        assert 0 < run.outputs[0]["cost_weighted_yield"] < 100


def test_a_clamp_and_a_slip_of_units_change_one_attempt_in_silence():
    twin = rig(Fault(fault="clamp", run=1, parameter="temperature", value=60.0), Fault(fault="unit", run=2))
    for expected in (60.0, 80.0 * 1.8 + 32, 80.0):
        twin.set(SETTING)
        assert twin.setpoints["temperature"] == pytest.approx(expected)


def test_faults_at_random_depend_on_seed_and_attempt_only():
    scenario = Scenario(faults=(Fault(fault="drop", probability=0.3), Fault(fault="nan", probability=0.1)))
    drawn = [[f.fault for f in scenario.at(n, 1)] for n in range(1, 400)]
    assert drawn == [[f.fault for f in scenario.at(n, 1)] for n in range(1, 400)]
    assert drawn != [[f.fault for f in scenario.at(n, 2)] for n in range(1, 400)]
    assert sum("drop" in faults for faults in drawn) == pytest.approx(120, abs=30)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("faults: [{fault: explode, run: 1}]", "must be one of drop"),
        ("faults: [{fault: nan}]", "give either 'run'"),
        ("faults: [{fault: nan, run: 1, phase: running}]", "leave 'phase' out"),
        ("faults: [{fault: nan, run: 0}]", "greater than or equal to 1"),
        ("plant: {damping: 2}", "less than 1"),
        ("plants: {}", "no field 'plants'"),
    ],
)
def test_wrong_scenarios_are_told(tmp_path, text, words):
    path = tmp_path / "faults.yaml"
    path.write_text(text)
    with pytest.raises(CardError, match=r"faults\.yaml:1") as caught:
        load_scenario(path)
    assert words in str(caught.value)


def test_plates_have_one_result_for_each_position():
    twin = rig(positions=4)
    settings = [SETTING | {"time": t} for t in (1.0, 2.0, 4.0)]
    twin.asked("plate")
    run = twin.start("plate", settings)
    finish(twin, 10_000)
    assert len(run.outputs) == len(run.achieved) == 3
    assert len({row["yield"] for row in run.outputs}) == 3
    twin.asked("plate-2")
    with pytest.raises(Refusal, match="there are 4"):
        twin.start("plate-2", settings * 2)
