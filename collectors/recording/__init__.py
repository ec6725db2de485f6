"""The flight recorder: everything a session saw, in one file that survives what ends it."""
