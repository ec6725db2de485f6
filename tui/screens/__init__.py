"""Textual screens: the monitor, help and questions."""
