"""Tells cats and dogs apart, says when there is neither or both, and shows where each was found.

import catdog

classifier = catdog.load()
[prediction] = classifier.classify(["photo.jpg"])
print(prediction.verdict, prediction.cat, prediction.dog)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from catdog.classifier import Classifier, Explanation, Prediction, load

__all__ = ["Classifier", "Explanation", "Prediction", "__version__", "load"]

__version__ = "0.2.0"


def __getattr__(name: str) -> Any:
    """Load PyTorch when it is first needed: `catdog --help` does without, and Ctrl-C ends a command while it loads."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from catdog import classifier

    return getattr(classifier, name)
