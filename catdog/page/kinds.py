"""Photos by what they show, in the page's own kinds: a checkpoint's table by kind has those of whoever collected the photos."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from catdog.measuring.figures import KindFigures, Rate

# Patterns in the names of kinds, the first that fits counts -> the page's kind, which has words and perhaps an example.
PATTERNS = (
    (r"red.panda", "red-panda"),
    (r"draw|cartoon|clip.?art|sketch|paint|toy|plush|doll|statue", "drawing"),
    (r"both.*(plain|studio|composite|pasted)", "both-studio"),
    (r"both", "both"),
    (r"infrared|\bir\b|night|dark", "night"),
    (r"dalmatian", "dalmatian"),
    (r"in action|dog.*flickr", "action"),
    (r"hamster|guinea.?pig|rabbit|hedgehog|beaver|mouse|squirrel", "small-animal"),
    (r"big.cat|lion|tiger|cheetah|leopard|jaguar|cougar|lynx|puma", "big-cat"),
    (r"fox|wol[fv]|raccoon", "look-alike"),
    (r"bird|rooster|pigeon|flamingo|ibis|emu|duck|owl|parrot", "bird"),
    (r"fish|octopus|dolphin|crab|lobster|turtle|hawksbill|crocodile|lizard|snake|frog", "fish-reptile"),
    (r"horse|cow|sheep|goat|llama|elephant|rhino|kangaroo|okapi|gerenuk|panda|animal", "other-animal"),
    (r"person|people|face", "people"),
    (r"\b(car|bus|train|bike|bicycle|street)s?\b", "street"),
    (r"object|thing|clothes|food|flower", "thing"),
    (r"hard cat", "hidden-cat"),
    (r"cat.*scene", "cat-scene"),
    (r"room|house", "room"),
    (r"snapshot|flickr|instagram|twitter|scene", "snapshot"),
    (r"\bweb\b", "web"),
    (r"\bcats?\b", "cat"),
    (r"\bdogs?\b", "dog"),
    (r"neither", "neither"),
)


def kinds_of(kinds: Sequence[KindFigures]) -> list[tuple[str, Rate]]:
    """A checkpoint's figures by kind, in the page's kinds; `other` where a name fits none."""
    right, n = Counter[str](), Counter[str]()
    for each in kinds:
        kind = kind_of(f"{each.label} {each.kind}")
        right[kind] += each.right.k
        n[kind] += each.right.n
    return [(kind, Rate(right[kind], n[kind])) for kind in n]


def kind_of(name: str) -> str:
    """The page's kind of photos by what they show and what their kind is called."""
    return next((kind for pattern, kind in PATTERNS if re.search(pattern, name, re.IGNORECASE)), "other")
