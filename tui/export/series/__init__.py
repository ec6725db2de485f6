"""Writes what was measured over a range of time, as numbers for other programs."""
