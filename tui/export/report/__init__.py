"""Writes what was measured over a range of time, as a text for people."""
