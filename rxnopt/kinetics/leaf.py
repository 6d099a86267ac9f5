"""What the runtime can ask of the function of a reaction."""

ADVANCE, BEGIN, PREPARE, SLOPE, JACOBIAN, GAUGE, RESTORE, FINISH = range(8)
