"""Training: options, the loop, the run around it."""
