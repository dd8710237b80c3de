"""Figures in words: the rows of a table, and the text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catdog.decision import percent
from catdog.measuring.figures import FEW, CalibrationFigures, Figures, KindFigures, MapFigures, Mean, PetFigures

KINDS_HEAD = ("kind", "shows", "called so", "others called")
NamedFigure = tuple[str, str]  # a figure's name, and its value with n and interval


def as_text(figures: Figures) -> str:
    """The figures for a terminal."""
    lines = [f"{figures.n:,} photos: " + ", ".join(f"{count:,} {name}" for name, count in figures.counts.items())]
    table = named_figures(figures)
    width = max(len(name) for name, _ in table) + 2
    lines += [f"{name:<{width}}{value}" for name, value in table]
    if figures.few:
        lines.append(f"Fewer than {FEW} photos of {', '.join(figures.few)}: their intervals are wide.")
    called = next(iter(figures.confusion.values()))
    lines += ["", f"{'':>10}" + "".join(f"{verdict:>9}" for verdict in called) + "   <- verdict"]
    for truth, row in figures.confusion.items():
        lines.append(f"{truth:>10}" + "".join(f"{count:>9,}" for count in row.values()))
    if figures.kinds:
        lines += ["", "By kind, the worst first:"]
        rows = kind_rows(figures.kinds)
        widths = [max(len(row[column]) for row in rows) + 2 for column in range(2)]
        lines += [
            f"  {kind:<{widths[0]}}{label:<{widths[1]}}{right}  {called}".rstrip()
            for kind, label, right, called in rows
        ]
    if figures.worst_mistakes:
        lines += ["", "Worst mistakes:"]
        for each in figures.worst_mistakes:
            lines.append(
                f"  {each.name}: {each.label}, called {each.verdict} (cat {percent(each.cat)}, dog {percent(each.dog)})"
            )
    return "\n".join(lines)


def named_figures(figures: Figures) -> list[NamedFigure]:
    """Every figure but the counts, for the terminal, the report and the model card."""
    rows = [("verdict right", str(figures.verdict_accuracy))]
    if figures.pets:
        rows += pet_rows(figures.pets)
    if negatives := figures.negatives:
        rows += [
            ("negatives: called neither", str(negatives.called_neither)),
            ("negatives: a pet with 0.9 or more", str(negatives.called_a_pet)),
        ]
    if figures.both:
        rows.append(("both: called both", str(figures.both.called_both)))
    rows += [(f"made-up both, {way}: called both", str(rate)) for way, rate in figures.made_up_both.items()]
    rows += [
        (f"made-up both, at a half: peak on its pet, {name}", str(rate)) for name, rate in figures.peaks_of_both.items()
    ]
    if figures.maps:
        rows += map_rows(figures.maps)
    if against := figures.pets_against_negatives:
        rows += [
            ("pets against negatives: AUROC", f"{against.auroc:.4f}"),
            ("both kinds: calibration error", calibration_text(against.calibration_error)),
        ]
    for source, each in figures.pets_by_source.items():
        rows.append((f"{source}: two-way right", str(each.two_way_accuracy)))
        rows.append((f"{source}: called neither", str(each.called_neither)))
        if each.called_both:
            rows.append((f"{source}: called both", str(each.called_both)))
    return rows


def kind_rows(kinds: Sequence[KindFigures]) -> list[tuple[str, str, str, str]]:
    """Of each kind: its name, what it shows, how many were right, and what the others were called."""
    return [
        (
            each.kind,
            each.label,
            str(each.right),
            ", ".join(f"{count} {verdict}" for verdict, count in each.called.items() if verdict != each.label),
        )
        for each in kinds
    ]


def pet_rows(pets: PetFigures) -> list[NamedFigure]:
    return [
        ("pets: two-way right", str(pets.two_way_accuracy)),
        ("pets: two-way log loss", loss_text(pets.two_way_log_loss, pets.n)),
        ("pets: called neither", str(pets.called_neither)),
        ("pets: called both", str(pets.called_both)),
        ("pets: calibration error", calibration_text(pets.calibration_error)),
    ]


def map_rows(maps: MapFigures) -> list[NamedFigure]:
    return [
        ("maps: peak on the pet", str(maps.peak_on_pet)),
        ("the photo's center: on the pet", str(maps.baselines.center_on_pet)),
        ("maps: peak on the pet where the center is not", str(maps.peak_on_pet_off_center)),
        ("maps: evidence on the pet", f"{maps.energy_on_pet:.1%} (the pet covers {maps.pet_area:.1%})"),
        ("maps: box found", str(maps.box_found)),
        *((f"{name}: box found", str(rate)) for name, rate in maps.baselines.box_found.items()),
    ]


def loss_text(loss: Mean, n: int) -> str:
    if loss.interval is None:
        return f"{loss.value:.4f} (n {n})"
    low, high = loss.interval
    return f"{loss.value:.4f} (n {n}, 95% interval {max(0, low):.4f} to {high:.4f})"


def calibration_text(by_label: Mapping[str, CalibrationFigures]) -> str:
    return ", ".join(f"{label} {each}" for label, each in by_label.items())
