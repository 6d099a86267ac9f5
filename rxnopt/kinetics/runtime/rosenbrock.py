"""Rodas5P, an L-stable Rosenbrock method of order 5(4) for the experiments that are stiff.

Coefficients: G. Steinebach, Construction of Rosenbrock-Wanner method Rodas5P and numerical benchmarks within the
Julia Differential Equations package, BIT Numer. Math. 63 (2023) 27. Form of the stages: E. Hairer & G. Wanner,
Solving Ordinary Differential Equations II, IV.7 (eq. 7.25): with ``W = I / (gamma h) - J``,

    W u_i = f(t + c_i h, y + sum_j a_ij u_j) + sum_j (C_ij / h) u_j + h d_i df/dt.

The last two stages continue from the stage before (a_7 = a_6 + e_6, a_8 = a_7 + e_7); the result is the state of
stage 8 plus u_8, and u_8 is the error estimate.
"""

from __future__ import annotations

import numpy as np

from rxnopt.kinetics.runtime.jit import compiled
from rxnopt.kinetics.runtime.leaves import Floats, Table, slope
from rxnopt.kinetics.runtime.linear import factorise, substitute
from rxnopt.kinetics.runtime.table import JAC, LU, ORDER, RATE, STAGE, N

GAMMA = 0.21193756319429014
STAGES = 8
LADDER = 6
"""From this stage on, each stage starts where the one before ended."""
STATE, SLOPE = 8, 9
"""Rows of the stage memory after the eight stages."""

A = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [3.0, 0.0, 0.0, 0.0, 0.0],
        [2.849394379747939, 0.45842242204463923, 0.0, 0.0, 0.0],
        [-6.954028509809101, 2.489845061869568, -10.358996098473584, 0.0, 0.0],
        [2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641, 0.0],
        [
            -7.502846399306121,
            2.561846144803919,
            -11.627539656261098,
            -0.18268767659942256,
            0.030198172008377946,
        ],
    ]
)
C = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [-14.155112264123755, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [-17.97296035885952, -2.859693295451294, 0.0, 0.0, 0.0, 0.0, 0.0],
        [147.12150275711716, -1.41221402718213, 71.68940251302358, 0.0, 0.0, 0.0, 0.0],
        [165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306, 0.0, 0.0, 0.0],
        [
            24.854864614690072,
            -3.0009227002832186,
            47.4931110020768,
            5.5814197821558125,
            -0.6610691825249471,
            0.0,
            0.0,
        ],
        [
            30.91273214028599,
            -3.1208243349937974,
            77.79954646070892,
            34.28646028294783,
            -19.097331116725623,
            -28.087943162872662,
            0.0,
        ],
        [
            37.80277123390563,
            -3.2571969029072276,
            112.26918849496327,
            66.9347231244047,
            -40.06618937091002,
            -54.66780262877968,
            -9.48861652309627,
        ],
    ]
)
NODES = np.array([0.0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716, 0.4288403609558664, 1.0, 1.0, 1.0])
TIME_WEIGHTS = np.array(
    [
        0.21193756319429014,
        -0.42387512638858027,
        -0.3384627126235924,
        1.8046452872882734,
        2.325825639765069,
        0.0,
        0.0,
        0.0,
    ]
)


@compiled
def step(t: float, y: int, h: float, w: Floats, q: Table) -> bool:
    """Step from the state at cell ``y``; False if the equations are singular.

    The Jacobian and df/dt at the start must be on the bench. The result is left in row STATE of the stages, its
    error in row STAGES - 1.
    """
    n, u, jac, lu, rate, order = q[N], q[STAGE], q[JAC], q[LU], q[RATE], q[ORDER]
    state, f = u + STATE * n, u + SLOPE * n
    for i in range(n * n):
        w[lu + i] = -w[jac + i]
    for i in range(n):
        w[lu + i * n + i] += 1.0 / (GAMMA * h)
    if not factorise(w, lu, order, n):
        return False
    for s in range(STAGES):
        for i in range(n):
            if s < LADDER:
                w[state + i] = w[y + i]
                for k in range(s):
                    w[state + i] += A[s, k] * w[u + k * n + i]
            else:
                w[state + i] += w[u + (s - 1) * n + i]
        slope(t + NODES[s] * h, state, f, w, q)
        for i in range(n):
            total = w[f + i] + h * TIME_WEIGHTS[s] * w[rate + i]
            for k in range(s):
                total += C[s, k] / h * w[u + k * n + i]
            w[u + s * n + i] = total
        substitute(w, lu, order, u + s * n, n)
    for i in range(n):
        w[state + i] += w[u + (STAGES - 1) * n + i]
    return True
