"""How well passages are found, measured on a set of questions whose answers are known."""

from rag.evaluation.evaluating import Evaluation, evaluate, index_set
from rag.evaluation.question_set import QuestionSet, SetDocument, SetQuestion, read_set

__all__ = ["Evaluation", "QuestionSet", "SetDocument", "SetQuestion", "evaluate", "index_set", "read_set"]
