"""The built-in server whose costs are known, and the k6 script that loads it."""
