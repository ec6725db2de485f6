"""Two runs compared: figures with intervals, functions, doubts, conditions, as text or Markdown."""
