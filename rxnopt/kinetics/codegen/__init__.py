"""From an :class:`~rxnopt.kinetics.system.OdeSystem` to the source text of its kernel (imports sympy)."""
