"""Photos by what they show, in the page's own kinds: a checkpoint's table by kind has those of whoever collected the photos."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from catdog.measuring.figures import Rate


class Kind(TypedDict):
    """Photos of one kind, and on how many of them the verdict is right."""

    kind: str
    n: int
    right: int


KINDS = TypeAdapter(list[Kind])

# Patterns in the names of kinds, the first that fits counts -> the page's kind, which has words and perhaps an example.
PATTERNS = (
    (r"red.panda", "red-panda"),
    (r"draw|cartoon|clip.?art|sketch|paint|toy|plush|doll|statue", "drawing"),
    (r"both.*(plain|studio|composite|pasted)", "both-studio"),
    (r"both", "both"),
    (r"infrared|\bir\b|night|dark", "night"),
    (r"dalmatian", "dalmatian"),
    (r"hamster|guinea.?pig|rabbit|hedgehog|beaver|mouse|squirrel", "small-animal"),
    (r"lion|tiger|cheetah|leopard|jaguar|cougar|lynx|puma", "big-cat"),
    (r"fox|wol[fv]|raccoon", "look-alike"),
    (r"bird|rooster|pigeon|flamingo|ibis|emu|duck|owl|parrot", "bird"),
    (r"fish|octopus|dolphin|crab|lobster|turtle|hawksbill|crocodile|lizard|snake|frog", "fish-reptile"),
    (r"horse|cow|sheep|goat|llama|elephant|rhino|kangaroo|okapi|gerenuk|panda|animal", "other-animal"),
    (r"person|people|face", "people"),
    (r"\b(car|bus|train|bike|bicycle|street)\b", "street"),
    (r"object|thing|food|flower", "thing"),
    (r"hard cat", "hidden-cat"),
    (r"snapshot|flickr|instagram|twitter|scene", "snapshot"),
    (r"\bweb\b", "web"),
    (r"\bcats?\b", "cat"),
    (r"\bdogs?\b", "dog"),
)


def kinds_of(held_out: Mapping[str, Any]) -> list[tuple[str, Rate]]:
    """A checkpoint's table by kind, `kinds`, in the page's kinds; `other` where a name fits none. Nothing without a table."""
    try:
        table = KINDS.validate_python(held_out.get("kinds", []), strict=True)
        right, n = Counter[str](), Counter[str]()
        for row in table:
            rate, kind = Rate(row["right"], row["n"]), kind_of(row["kind"])
            right[kind] += rate.k
            n[kind] += rate.n
    except ValueError:  # another shape, or more right than there are
        return []
    return [(kind, Rate(right[kind], n[kind])) for kind in n]


def kind_of(name: str) -> str:
    return next((kind for pattern, kind in PATTERNS if re.search(pattern, name, re.IGNORECASE)), "other")
