"""Everything outside the process: k6, perf, /proc, sockets and files."""
