"""Source of ``advance``: one explicit step on every lane, written out in straight-line arithmetic.

No call and no branch remains in the loop over lanes (choices are written as conditional expressions), so that
the compiler turns it into vector instructions. Step control: E. Hairer, S. Norsett & G. Wanner, Solving Ordinary
Differential Equations I, II.4 (a controller with memory took 8 % more steps for the same error). Stiffness: the
slopes of the last two stages are taken at the same time, their difference over the difference of the states
estimates |lambda| (the same authors, II, IV.2).
"""

from __future__ import annotations

from rxnopt.kinetics import layout as rows
from rxnopt.kinetics.codegen import tsit5
from rxnopt.kinetics.codegen.model import Model
from rxnopt.kinetics.codegen.printer import Printer
from rxnopt.kinetics.layout import Layout

SAFETY = 0.9
"""Share of the step that the error would allow; ``rough_power`` makes it up to 0.97."""
EXPONENT = 0.2
"""Of the error of a step, in the length of the next one: 1 / order."""
SMALLEST_FACTOR = 0.2
WORST = 1e30
"""Stands for an error that is not finite."""
ALMOST_ALL = 0.999
"""A step that covers this share of what is left covers it all."""
STIFF_LIMIT = 0.85 * tsit5.STABILITY
STIFF_STEPS = 15.0
"""Steps at the limit of stability before an experiment counts as stiff (dopri5: 15)."""
STIFF_REST = 100.0
"""... if at least so many more steps are to come; otherwise a change of method does not pay."""
MOST_STEPS = 10_000.0
"""Explicit steps before the other method is tried."""


def stepper_source(model: Model, layout: Layout) -> str:
    """Source text of ``advance(w, rtol) -> events``, which is 0 while no lane has an event."""
    body = [
        *_load(model, layout),
        *_stages(model),
        *_error(model, layout),
        *_control(layout),
        *_stiffness(model, layout),
        *_paths(model, layout),
        *_store(model, layout),
    ]
    head = ["@compiled", "def advance(w, rtol):", "    events = 0", f"    for lane in range({layout.lanes}):"]
    return "\n".join([*head, *("        " + line for line in body), "    return events"])


def _cell(layout: Layout, row: int) -> str:
    return f"w[{row * layout.lanes} + lane]"


def _load(model: Model, layout: Layout) -> list[str]:
    names = {rows.TIME: "t", rows.STOP: "stop", rows.STEP: "planned", rows.GROWTH: "growth"}
    for i, state in enumerate(model.kept):
        names[layout.rows.y + i] = f"y{state}"
        names[layout.rows.f + i] = f"k0_{i}"
    for i in range(layout.params):
        names[layout.rows.p + i] = f"p{i}"
    lines = [f"{name} = {_cell(layout, row)}" for row, name in names.items()]
    return [*lines, "left = stop - t", f"last = planned >= {ALMOST_ALL} * left", "h = left if last else planned"]


def _stages(model: Model) -> list[str]:
    """Slopes ``k1_i .. k6_i``; the states of the last two stages stay in ``s_i`` and ``n_i``."""
    lines: list[str] = []
    constants = [symbol.name for symbol in model.constant_symbols]
    count = len(model.kept)
    for stage in range(1, len(tsit5.STAGES)):
        prefix = "n" if stage == 6 else "s"
        for i, state in enumerate(model.kept):
            *early, newest = tsit5.STAGES[stage]
            terms = [f"{weight!r} * k{j}_{i}" for j, weight in enumerate(early)] or ["0.0"]
            # the newest slope comes last: one operation, not three, has to wait for it
            lines.append(f"{prefix}_{i} = y{state} + h * ({' + '.join(terms)}) + h * {newest!r} * k{stage - 1}_{i}")
        slopes = ", ".join(f"k{stage}_{i}" for i in range(count))
        arguments = [f"t + {tsit5.NODES[stage]!r} * h", *(f"{prefix}_{i}" for i in range(count)), *constants]
        lines.append(f"{slopes}, = rhs({', '.join(arguments)})")
    return lines


def _error(model: Model, layout: Layout) -> list[str]:
    """``q``: mean square of error over tolerance, over all states, the dropped ones too."""
    lines = []
    for i, _ in enumerate(model.kept):
        terms = [f"{weight!r} * k{j}_{i}" for j, weight in enumerate(tsit5.ERROR)]
        lines.append(f"e_{i} = h * ({' + '.join(terms)})")
    squares = []
    for state in range(len(model.states)):
        before, after, error = _change(model, state)
        lines += [
            f"before, after = abs({before}), abs({after})",
            f"tolerance = {_cell(layout, layout.rows.atol + state)} + rtol * larger(before, after)",
            f"r_{state} = ({error}) / tolerance",
        ]
        squares.append(f"r_{state} * r_{state}")
    lines.append(f"q = ({' + '.join(squares)}) * {1.0 / len(squares)!r}")
    return [*lines, f"q = q if q < {WORST!r} else {WORST!r}"]


def _change(model: Model, state: int) -> tuple[str, str, str]:
    """Text of a state before and after the step and of its error."""
    if state in model.kept:
        i = model.kept.index(state)
        return f"y{state}", f"n_{i}", f"e_{i}"
    printer = Printer([s.name for s in (*model.states, *model.constant_symbols)])
    value = model.dropped[state]
    after, error = [], []
    for i, other in enumerate(model.kept):
        factor = value.coeff(model.states[other])
        if factor != 0:
            after.append(f"{float(factor)!r} * n_{i}")
            error.append(f"{float(factor)!r} * e_{i}")
    constant = printer.text(value.subs(dict.fromkeys(model.states, 0)))
    return printer.text(value), " + ".join([constant, *after]), " + ".join(error or ["0.0"])


def _control(layout: Layout) -> list[str]:
    return [
        "accept = q <= 1.0",
        f"factor = {SAFETY!r} * rough_power(q, {-EXPONENT / 2!r})",
        "factor = factor if factor < growth else growth",
        f"factor = factor if factor > {SMALLEST_FACTOR!r} else {SMALLEST_FACTOR!r}",
        "following = h * factor",
        f"count = {_cell(layout, rows.COUNT)} + 1.0",
    ]


def _stiffness(model: Model, layout: Layout) -> list[str]:
    count = range(len(model.kept))
    slopes = " + ".join(f"(k6_{i} - k5_{i}) * (k6_{i} - k5_{i})" for i in count)
    states = " + ".join(f"(n_{i} - s_{i}) * (n_{i} - s_{i})" for i in count)
    return [
        f"at_limit = h * h * ({slopes}) > {STIFF_LIMIT**2!r} * ({states})",
        f"counted = {_cell(layout, rows.STIFFNESS)}",
        "stiffness = counted + 1.0 if at_limit else (counted - 1.0 if counted > 1.0 else 0.0)",
        f"slow = stiffness >= {STIFF_STEPS!r} and left > {STIFF_REST!r} * h",
        f"trouble = slow or count >= {MOST_STEPS!r} or following < {_cell(layout, rows.SMALLEST)}",
        f"event = ({rows.REACHED}.0 if (accept and last) else 0.0) + ({rows.TROUBLE}.0 if trouble else 0.0)",
    ]


def _paths(model: Model, layout: Layout) -> list[str]:
    """Path values at the end of the step; a change of the sign of their rate and a fall of the margin are events."""
    if not model.gauges:
        return []
    count = range(len(model.kept))
    values = [f"g{i}" for i in range(2 * len(model.gauges))]
    constants = [symbol.name for symbol in model.constant_symbols]
    arguments = ["t + h", *(f"k6_{i}" for i in count), *(f"n_{i}" for i in count), *constants]
    lines = [f"{', '.join(values)}, = gauge_at({', '.join(arguments)})"]
    m = len(model.gauges)
    for j, gauge in enumerate(model.gauges):
        old = [_cell(layout, layout.rows.ends + j), _cell(layout, layout.rows.ends + m + j)]
        lines += [f"v{j}, d{j} = {old[0]}, {old[1]}", f"o{j} = {_cell(layout, layout.rows.best + j)}"]
        if gauge.sign == 0:
            below = f"(g{j} < 0.0 or (d{j} < 0.0 and g{m + j} > 0.0))"
            lines += [f"b{j} = o{j}", f"crossed = accept and v{j} >= 0.0 and {below}"]
            continue
        compare = (">", "<") if gauge.sign > 0 else ("<", ">")
        lines += [
            f"better = accept and g{j} {compare[0]} o{j}",
            f"b{j} = g{j} if better else o{j}",
            f"turn{j} = accept and d{j} {compare[0]} 0.0 and g{m + j} {compare[1]} 0.0",
        ]
    turns = " or ".join(f"turn{j}" for j, gauge in enumerate(model.gauges) if gauge.sign)
    lines += [f"event += {rows.TURN}.0 if ({turns}) else 0.0"] if turns else []
    fall = f"event += {rows.CROSSED}.0 if crossed else 0.0"
    return [*lines, fall] if any(gauge.sign == 0 for gauge in model.gauges) else lines


def _store(model: Model, layout: Layout) -> list[str]:
    reached = "(stop if last else t + h)"
    cells: dict[int, str] = {
        rows.TIME: f"{reached} if accept else t",
        rows.STEP: "following",
        rows.EVENT: "event",
        rows.COUNT: "count",
        rows.STIFFNESS: "stiffness if accept else counted",
        rows.GROWTH: f"{rows.LARGEST_FACTOR!r} if accept else 1.0",
    }
    for i, state in enumerate(model.kept):
        cells[layout.rows.y + i] = f"n_{i} if accept else y{state}"
        cells[layout.rows.f + i] = f"k6_{i} if accept else k0_{i}"
    if model.gauges:
        cells |= _history(model, layout)
    lines = [f"{_cell(layout, row)} = {text}" for row, text in cells.items()]
    return [*lines, "events |= int(event)"]


def _history(model: Model, layout: Layout) -> dict[int, str]:
    """What the search for an extreme inside the step needs; it runs before the next step, if at all."""
    m = len(model.gauges)
    cells = {rows.TIME_BEFORE: "t", rows.STEP_BEFORE: "h"}
    for i, state in enumerate(model.kept):
        cells[layout.rows.y_before + i] = f"y{state}"
        cells[layout.rows.f_before + i] = f"k0_{i}"
    for j in range(m):
        for part in (0, m):
            name = ("v", "d")[part > 0]
            cells[layout.rows.ends + part + j] = f"g{part + j} if accept else {name}{j}"
            cells[layout.rows.ends + 2 * m + part + j] = f"{name}{j}"
        cells[layout.rows.best + j] = f"b{j}"
        cells[layout.rows.best_before + j] = f"o{j}"
    return cells
