"""The table ``q`` of a kernel: where its numbers lie in the working memory, and its leaf function.

One int64 array, so that the runtime is compiled once and for all reactions. The order is that of ``Layout.table``.
"""

LEAF = 0
"""Address of the leaf function."""
N, STATES, PARAMS, PATHS, BREAKS, LANES = range(1, 7)
WATCHED = 7
"""1 if the last path is the margin of an event."""
INPUTS, OUTPUTS = 8, 9
"""Numbers of inputs and outputs of an experiment."""
KEPT, KINDS, SIGNS = 10, 11, 12
"""Places in this table: states that are integrated; 1 for states that are nonnegative; +1 max, -1 min, 0 margin."""
R_Y, R_F, R_P, R_ATOL, R_Y_BEFORE, R_F_BEFORE, R_ENDS, R_BEST, R_BEST_BEFORE, R_COUNT = range(13, 23)
"""Rows of a lane, see ``Rows``."""
S, V, P, Y, F, FULL, ATOL, BEST, BEST_BEFORE, GAUGE, ENDS = range(23, 34)
Y_BEFORE, F_BEFORE, STAGE, JAC, LU, RATE, ORDER, WORK = range(34, 42)
"""Cells of the bench, see ``Bench``."""
