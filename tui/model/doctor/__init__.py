"""Verdicts of `flashpoint doctor`: what is found becomes ok, warn or fail, and what mends it."""
