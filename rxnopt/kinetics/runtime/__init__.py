"""The part of a kernel that is the same for every reaction (imports numba)."""
