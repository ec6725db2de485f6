"""perf: starting it on a process tree and turning its text into batches of stacks."""
