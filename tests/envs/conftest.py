"""Pictures are drawn without a display, whatever the machine has."""

import matplotlib as mpl

mpl.use("Agg")
