"""Which words, numbers and cells a pane shows: pure functions from model to frozen views."""
