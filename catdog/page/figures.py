"""figures.json: what the checkpoint scored on held-out photos, and what it was made from, for the tab "How good is it?".

Every figure comes from the checkpoint's metadata. Everything that is put into words travels as a code; folders' own names,
which are a matter of whoever trained it, do not travel at all.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from catdog.checkpoint import Metadata
from catdog.labels import LABELS, VERDICTS
from catdog.measuring.figures import FEW, Figures, PetFigures, Rate
from catdog.measuring.model_card import card_text
from catdog.measuring.record import RECORD, TrainingRecord
from catdog.page.kinds import kinds_of
from catdog.page.sources import KNOWN, Sources, split

logger = logging.getLogger(__name__)

WAYS = (
    "side by side",
    "at a half",
    "at a third",
    "at a fifth",
)  # in which photos of both are made up, the easiest first


def figures_of(metadata: Metadata) -> dict[str, Any]:
    """The whole of figures.json: `measured` and `card` are null where the checkpoint does not say or cannot be read."""
    try:
        figures, record = Figures.from_dict(metadata.held_out), TrainingRecord.from_dict(metadata.training)
        return told(metadata, figures, record)
    except ValueError as error:  # another version's shape, or counts that cannot be
        logger.warning("%s The page opens without the checkpoint's figures.", error)
        return told(metadata, None, None)


def told(metadata: Metadata, figures: Figures | None, record: TrainingRecord | None) -> dict[str, Any]:
    sources = Sources(figures, record)
    return {
        "enough": FEW,
        "measured": measured(figures, metadata, sources) if figures else None,
        "made": made(metadata, record, sources),
        "card": card(metadata, figures, record, sources) if record else None,
    }


def measured(figures: Figures, metadata: Metadata, sources: Sources) -> dict[str, Any]:
    """The figures by what they are for: the three first sentences, the kinds, and what experts read."""
    pets = figures.pets
    return {
        "n": figures.n,
        "simple": {
            "one-pet": rate(one_pet(figures)),
            "neither": rate(figures.negatives and figures.negatives.called_neither),
            "both": rate(figures.both and figures.both.called_both),
        },
        "kinds": [
            {"kind": kind, **shown}
            for kind, each in kinds_of(figures.kinds) or by_verdict(figures)
            if (shown := rate(each))
        ],
        "right": list(successes(figures, sources)),
        "wrong": list(failures(figures)),
        "loss": pets and loss(pets),
        "calibration": {
            label: {"value": error.value, "chance": error.by_chance}
            for label, error in (pets.calibration_error if pets else {}).items()
            if math.isfinite(error.value + error.by_chance)
        },
        "detection": detection(figures),
        "confusion": figures.confusion,
    }


def rate(of: Rate | None) -> dict[str, Any] | None:
    """k of n as a share with its 95% interval; null where nothing was measured."""
    if of is None or not of.n:
        return None
    return {"k": of.k, "n": of.n, "value": of.value, "interval": of.interval}


def one_pet(figures: Figures) -> Rate:
    """Verdicts on photos of one cat or one dog, right where they name it and nothing else."""
    rows = [(label, figures.confusion.get(label, {})) for label in LABELS]
    return Rate(sum(row.get(label, 0) for label, row in rows), sum(sum(row.values()) for _, row in rows))


def loss(pets: PetFigures) -> dict[str, Any] | None:
    """The two-way log loss, in nats; null where it is not finite."""
    mean = pets.two_way_log_loss
    if not math.isfinite(sum((mean.value, *(mean.interval or ())))):
        return None
    return {"n": pets.n, "value": mean.value, "interval": mean.interval}


def by_verdict(figures: Figures) -> list[tuple[str, Rate]]:
    """What the figures of every checkpoint say of kinds of photos, where it holds no table by kind."""
    rows = [(shown, figures.confusion.get(shown, {})) for shown in VERDICTS.values()]
    rates = [(shown, Rate(row.get(shown, 0), sum(row.values()))) for shown, row in rows]
    return rates + [(way.replace(" ", "-"), figures.made_up_both[way]) for way in WAYS if way in figures.made_up_both]


def successes(figures: Figures, sources: Sources) -> Iterable[dict[str, Any]]:
    """Rates that should be high."""
    pets, maps = figures.pets, figures.maps
    yield from named("verdict", figures.verdict_accuracy)
    yield from named("two-way", pets and pets.two_way_accuracy)
    for source, each in figures.pets_by_source.items():
        yield from named("source", each.two_way_accuracy, source=sources.public(source))
    yield from named("negatives", figures.negatives and figures.negatives.called_neither)
    yield from named("both", figures.both and figures.both.called_both)
    for way in WAYS:
        yield from named(way.replace(" ", "-"), figures.made_up_both.get(way))
    yield from named("peak", maps and maps.peak_on_pet)
    yield from named("box", maps and maps.box_found)


def failures(figures: Figures) -> Iterable[dict[str, Any]]:
    """Rates that should be low."""
    pets, negatives = figures.pets, figures.negatives
    yield from named("called-neither", pets and pets.called_neither)
    yield from named("called-both", pets and pets.called_both)
    yield from named("sure-pet", negatives and negatives.called_a_pet)


def named(code: str, of: Rate | None, **more: Any) -> Iterable[dict[str, Any]]:
    if shown := rate(of):
        yield {"code": code, **more, **shown}


def detection(figures: Figures) -> dict[str, Any] | None:
    """Pets against negatives: the ROC curve, the point on it where verdicts are decided, and each label's reliability as bins
    [mean probability, k, n, low, high]."""
    against, pets, negatives = figures.pets_against_negatives, figures.pets, figures.negatives
    if against is None or pets is None or negatives is None or not math.isfinite(against.auroc):
        return None
    return {
        "auroc": against.auroc,
        "roc": against.roc,
        "decided": [1 - negatives.called_neither.value, 1 - pets.called_neither.value],
        "reliability": {
            label: [[each.mean, each.k, each.n, *each.rate.interval] for each in error.bins]
            for label, error in against.calibration_error.items()
        },
    }


def made(metadata: Metadata, record: TrainingRecord | None, sources: Sources) -> dict[str, Any]:
    """Which network, which photos."""
    told: dict[str, Any] = {
        "architecture": metadata.architecture,
        "input_size": metadata.input_size,
        "head": metadata.head,
        "present": metadata.present,
        "both": metadata.both,
        "negatives": metadata.real_negatives,
        "photos": [],
    }
    if record is None:
        return told
    if record.epochs_run is not None:  # not where another program trained it
        told |= {"epochs": record.epochs_run, "best": record.best_epoch, "commit": record.commit}
    training, tuning = record.counts.training, record.counts.tuning
    names = split(training.keys() | tuning.keys())
    for name, source, label in sorted(names, key=lambda part: (part[1] not in KNOWN, part)):
        counts = {"training": training.get(name, 0), "tuning": tuning.get(name, 0)}
        told["photos"].append({"source": sources.public(source), "label": label, **counts})
    return told


def card(metadata: Metadata, figures: Figures | None, record: TrainingRecord, sources: Sources) -> list[dict[str, Any]]:
    """The model card's Markdown as plain data: headings, paragraphs and tables, all of them text."""
    held_out = sources.figures(figures).to_dict() if figures else {}
    training = RECORD.dump_python(sources.record(record), mode="json")
    text = card_text(replace(metadata, held_out=held_out, training=training))
    return [block(part) for part in text.split("\n\n") if part.strip()]


def block(part: str) -> dict[str, Any]:
    if part.startswith("#"):
        return {"heading": part.lstrip("# ")}
    lines = part.splitlines()
    if part.startswith("|") and len(lines) > 2:
        head, _, *body = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        return {"head": head, "rows": body}
    return {"text": part.replace("\n", " ")}
