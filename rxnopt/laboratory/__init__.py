"""Campaigns on a rig: every run is started once, or a person decides."""
