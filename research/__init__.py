"""What made the tables of the model card and of docs/: python -m research.NAME."""
