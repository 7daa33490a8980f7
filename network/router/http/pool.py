"""The public workers in numbers, for a picture of who is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from network.broker.protocol import QueueLoad
from network.protocol.routers import LanguageCount, ModelCount, Pool
from network.router.directory import ListedWorker

MOST_ROWS = 200


def count_pool(workers: Iterable[ListedWorker], load: QueueLoad) -> Pool:
    """Workers that serve groups only are left out: nobody learns from this that they exist."""
    public = [worker for worker in workers if worker.state.public]
    free = {worker.card.node: 0 if worker.state.pause else worker.worker.credit for worker in public}
    models: Counter[str] = Counter()
    free_by_model: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    free_by_language: Counter[str] = Counter()
    for worker in public:
        for model in worker.worker.models:
            models[model] += 1
            free_by_model[model] += free[worker.card.node]
        for language in worker.worker.languages:
            languages[language] += 1
            free_by_language[language] += free[worker.card.node]
    return Pool(
        workers=len(public),
        paused=sum(1 for worker in public if worker.state.pause),
        free=sum(free.values()),
        running=sum(worker.state.running for worker in public),
        waiting=load.waiting,
        models=tuple(
            ModelCount(model=model, workers=count, free=free_by_model[model])
            for model, count in _most_frequent(models)
        ),
        languages=tuple(
            LanguageCount(language=language, workers=count, free=free_by_language[language])
            for language, count in _most_frequent(languages)
        ),
    )


def _most_frequent(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST_ROWS]
