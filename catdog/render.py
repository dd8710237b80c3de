"""Pictures of evidence: overlays, legends, plots."""

from __future__ import annotations

from pathlib import Path


def plot_curves(curves: list[dict[str, float]], path: Path) -> None:
    """Loss and accuracy over the epochs, training and tuning, as a PNG."""
    from matplotlib.figure import Figure

    epochs = [row["epoch"] for row in curves]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    for axes, kind in ((loss, "loss"), (accuracy, "accuracy")):
        for part in ("training", "tuning"):
            axes.plot(epochs, [row[f"{part}_{kind}"] for row in curves], marker="o", markersize=3, label=part)
        axes.set(title=kind, xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend()
    accuracy.yaxis.set_major_formatter(lambda value, _: f"{value:.1%}")
    figure.savefig(path, dpi=120)
