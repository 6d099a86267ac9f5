"""The side of the laboratory: what a device must do, the gate before it, and the adapters that speak to it."""
