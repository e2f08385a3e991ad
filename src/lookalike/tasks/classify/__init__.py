"""Labels for embeddings, learned from labelled ones: linear probe, nearest neighbours, prototypes."""

from __future__ import annotations

from lookalike.tasks.classify.classifier import Candidate, Classifier, Lookup, OutOfFold, Predicted
from lookalike.tasks.classify.examples import UNKNOWN, stratified_sample
from lookalike.tasks.classify.models import METHODS, ClassWeights, Method
from lookalike.tasks.classify.training import out_of_fold_probabilities, train

__all__ = [
    "METHODS",
    "UNKNOWN",
    "Candidate",
    "ClassWeights",
    "Classifier",
    "Lookup",
    "Method",
    "OutOfFold",
    "Predicted",
    "out_of_fold_probabilities",
    "stratified_sample",
    "train",
]
