"""Measuring: figures, reports, model cards."""
