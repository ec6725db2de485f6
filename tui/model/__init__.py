"""What is remembered and decided: timeline, percentiles, call trees. No I/O, no terminal."""
