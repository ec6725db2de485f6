"""Asks the collectors how everything is, for `flashpoint doctor`."""
