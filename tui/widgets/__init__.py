"""Textual widgets, one file and one piece of data each."""
