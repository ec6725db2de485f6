"""Writers of what a run found: one file a format."""
