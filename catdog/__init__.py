"""Tells cats and dogs apart, says when there is neither or both, and shows where each was found.

import catdog

classifier = catdog.load()
[prediction] = classifier.classify(["photo.jpg"])
print(prediction.verdict, prediction.cat, prediction.dog)
"""

from catdog.classifier import Classifier, Explanation, Prediction, load

__all__ = ["Classifier", "Explanation", "Prediction", "load"]
