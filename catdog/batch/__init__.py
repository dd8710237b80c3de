"""Many files: rows, a journal, a Ray cluster."""
