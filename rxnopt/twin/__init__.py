"""Digital twins: rigs that behave like real ones, with their dynamics and faults, behind real protocols on 127.0.0.1.

The core (:class:`rxnopt.twin.rig.Rig`) knows no protocol and no laboratory: what it writes into its physical journal is
what happened, whatever anybody else believes.
"""

from rxnopt.twin.clock import ManualClock, ScaledClock
from rxnopt.twin.ledger import Ledger, starts
from rxnopt.twin.rig import Rig
from rxnopt.twin.scenario import Fault, Plant, Scenario, load_scenario

__all__ = ["Fault", "Ledger", "ManualClock", "Plant", "Rig", "ScaledClock", "Scenario", "load_scenario", "starts"]
