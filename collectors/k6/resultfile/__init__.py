"""Reads the files that `k6 run --out json=FILE` and `--out csv=FILE` write, after the run."""
