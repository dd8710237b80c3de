"""Every word on the page, by code. Verdicts and errors travel as codes and become words here."""

from __future__ import annotations

TITLE = "catdog"
INTRODUCTION = "Drop in a photo: is there a cat, a dog, both or neither, and where?"
PRIVACY = "Photos are classified on this server, kept for at most an hour and then deleted; none is passed on."

PHOTO_TAB = "Photo"
PICTURE = "Your photo"
PLACEHOLDER = "Drop a photo here\n- or -\nclick to choose one"
LIMITS = "JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC, up to {megabytes} MB and {megapixels} megapixels."
EXAMPLES = "Or try one of these"
EXAMPLES_CREDIT = "Their authors and licences are listed in examples/README.md."
WAITING = "The answer appears here by itself."

VERDICTS = {
    "cat": "A cat",
    "dog": "A dog",
    "both": "A cat and a dog",
    "neither": "Neither a cat nor a dog",
}
LABELS = {"cat": "Cat", "dog": "Dog"}
EVIDENCE_ALT = {
    "cat": "The photo with the places that speak for a cat in orange.",
    "dog": "The photo with the places that speak for a dog in blue.",
    "both": "The photo with the places that speak for a cat in orange and those that speak for a dog in blue.",
    "neither": "The photo; what little speaks for a cat is orange, for a dog blue.",
}
LEGEND = "What the logit would be if the whole photo looked like this place"
LEGEND_NONE = "0"
HOW_TO_READ = "How to read this"
HOW_TO_READ_TEXT = (
    "The two bars are independent: both can be high, and both low. "
    "Colour shows what the network's last layer found in each place: orange speaks for a cat, blue for a dog. "
    "The same colour means the same amount in every photo, so a photo with nothing in it stays plain."
)
MADE_NEGATIVES = (
    "This network was trained without photos of other things, so “neither” is worth little: it learnt it from made-up "
    "pictures only."
)
SOFTMAX = "This network chooses between cat and dog: it has no word for both or neither."

ERRORS = {
    "missing": "The photo did not arrive. Please try again.",
    "empty": "This file is empty.",
    "unknown-type": "This is not a picture that can be read. Use JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC.",
    "damaged": "This picture is damaged or cut off and cannot be read to its end.",
    "too-large": "This picture is too large.",
    "too-long": "This picture is too long and narrow to show a pet.",
    "bad-array": "This is not a picture that can be read.",
}
