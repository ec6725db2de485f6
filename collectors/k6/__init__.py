"""k6: finding and starting it, receiving its stream, reading its summary and its log."""
