"""Reads files of stacks that other programs wrote: folded, perf script's text, speedscope."""
