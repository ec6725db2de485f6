"""Benchmarks: they measure against something else in the same run, and print a table."""
