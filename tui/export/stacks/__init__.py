"""Writes the stacks of a range in the formats of other programs."""
