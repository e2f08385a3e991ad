"""A collection measures itself on its own labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from lookalike.collection.base import CollectionBase
from lookalike.evaluate.index import IndexReport, evaluate_index

if TYPE_CHECKING:
    from lookalike.collection.advising import HalfLife
    from lookalike.collection.evaluation.asking import Queries
    from lookalike.collection.evaluation.classification import ClassificationEvaluation
    from lookalike.collection.evaluation.clustering import ClusteringEvaluation
    from lookalike.collection.evaluation.of_pictures import Progress
    from lookalike.collection.evaluation.recommendation_events import Interactions
    from lookalike.collection.evaluation.recommendation_protocol import ColdUsers
    from lookalike.collection.evaluation.recommendation_result import RecommendationEvaluation
    from lookalike.collection.evaluation.result import Comparison, RetrievalReport
    from lookalike.collection.labels import Labels
    from lookalike.datasets.records import Layout
    from lookalike.encoders.base import Encoder
    from lookalike.tasks.classify import ClassWeights, Method
    from lookalike.tasks.recommend.taste import Taste
    from lookalike.tasks.rerank import Reranking

MOST_QUERIES = 10_000
MOST_USERS = 10_000
MOST_ITEMS = 20_000
"""Labelled items that a classifier is evaluated on: it is trained anew for each of five folds."""


class Evaluating(CollectionBase):
    """Measures of retrieval, of the index, of clusters, of classifiers and of recommendations."""

    def evaluate_index(self, *, k: int = 10, queries: int = 200, recall: float | None = None) -> IndexReport:
        """Measure the index against the exact search on the collection's own vectors."""
        return evaluate_index(self._gallery, k=k, queries=queries, recall=recall)

    def evaluate_retrieval(
        self,
        label: str,
        *,
        queries: Queries | None = None,
        layout: Layout | Literal["auto"] = "auto",
        label_pattern: str | None = None,
        group_by: str | None = None,
        ks: Sequence[int] = (1, 5, 10),
        rerank: Sequence[Reranking] = (),
        recall: float | None = None,
        resample_by: str | None = None,
        level: float = 0.95,
        resamples: int = 2000,
        most_queries: int | None = MOST_QUERIES,
        seed: int = 0,
        workers: int | None = None,
        progress: Progress = True,
    ) -> RetrievalReport:
        """Measure how well similarity finds items of the same label.

        An item is right when it has the query's label. Items without a label count neither for nor against.

        Args:
            label: The attribute that says what belongs together, such as ``product`` or ``category``.
            queries: What asks. None: every item asks for the others. A filter (``kind == "customer"``): the items
                that it selects ask the others. A folder or table of pictures (see
                :func:`lookalike.read_dataset`), or a mapping of path to label: these pictures ask the collection.
            layout: Of such a folder.
            label_pattern: A regular expression whose first group takes the label out of the names of such a
                folder's files, as ``(.+)_\\d+`` does of ``chair-17_2.jpg``.
            group_by: Count only the best item of each value of this attribute, as a search does with it. Where
                ``label`` is another attribute, an item's own group is no answer to it: of a picture of a chair,
                another view of the same chair is no other chair.
            ks: Ranks to count recall at.
            rerank: Re-rankings to report beside the plain ranking: ``alpha-qe``, ``dba``, ``k-reciprocal``.
            recall: What is asked of the index when its misses are counted; None: its default.
            resample_by: What the intervals' bootstrap keeps together: ``query``, ``label``, or an attribute of
                the items that ask. None: ``group_by`` where items ask, else ``label`` where there are at least 20
                different ones, else ``query``.
            level: Confidence of the intervals.
            resamples: Of the bootstrap.
            most_queries: With more queries than this, a random sample of so many; None: all.
            seed: Of the sample and the bootstrap.
            workers: Decode threads for pictures; all cores by default.
            progress: Of embedding pictures: True shows a bar when stderr is a terminal.

        Returns:
            Recall@k, mAP and nDCG@10 with intervals, the worst labels and queries, and how many misses are the
            model's and how many the index's.

        Raises:
            InputError: If an attribute does not exist or has several values an item, or no query has an answer.

        Example:
            >>> report = shop.evaluate_retrieval("product", queries="customer/", label_pattern=r"(.+)_\\d+")
            >>> report.measures["recall@1"]
            Interval(estimate=0.52, low=0.45, high=0.59, level=0.95, count=220, clusters=110)
        """
        from lookalike.collection.evaluation.asking import Question
        from lookalike.collection.evaluation.of_items import evaluate_items
        from lookalike.collection.evaluation.retrieval import Settings

        return evaluate_items(
            self._store,
            self._gallery,
            self._searcher,
            lambda: self.encoder,
            Question(label, queries, layout, label_pattern, group_by, resample_by, most_queries),
            Settings(tuple(ks), level, resamples, seed),
            rerank=rerank,
            recall=recall,
            limits=self._limits,
            workers=workers,
            progress=progress,
        )

    def compare_encoders(
        self,
        label: str,
        encoders: Sequence[str | Encoder],
        *,
        queries: Queries | None = None,
        layout: Layout | Literal["auto"] = "auto",
        label_pattern: str | None = None,
        group_by: str | None = None,
        ks: Sequence[int] = (1, 5, 10),
        resample_by: str | None = None,
        level: float = 0.95,
        resamples: int = 2000,
        most_queries: int | None = MOST_QUERIES,
        seed: int = 0,
        workers: int | None = None,
        progress: Progress = True,
    ) -> Comparison:
        """Measure two encoders on the collection's pictures and labels, by a paired test.

        Both embed the pictures anew from where they came; the collection's own vectors stay as they are.

        Args:
            label, queries, layout, label_pattern, group_by, ks, resample_by, level, resamples, most_queries, seed,
                workers, progress: As for :meth:`evaluate_retrieval`.
            encoders: Two of them: loaded encoders, or names, which may carry options as in
                ``efficientnet-lite0,resize=crop``.

        Returns:
            Of each measure the difference, first minus second, with its interval and p-value.

        Raises:
            InputError: If there are not two encoders, or as for :meth:`evaluate_retrieval`.
        """
        from lookalike.collection.evaluation.asking import Question
        from lookalike.collection.evaluation.comparing import two_encoders
        from lookalike.collection.evaluation.of_items import compare_on_items
        from lookalike.collection.evaluation.retrieval import Settings

        pair, names = two_encoders(encoders)
        return compare_on_items(
            self._store,
            self._gallery,
            self._searcher,
            pair,
            names,
            Question(label, queries, layout, label_pattern, group_by, resample_by, most_queries),
            Settings(tuple(ks), level, resamples, seed),
            limits=self._limits,
            workers=workers,
            progress=progress,
        )

    def evaluate_clustering(self, label: str, *, seed: int = 0) -> ClusteringEvaluation:
        """Measure how well the clusters that ``cluster`` saved agree with an attribute.

        Items that came after clustering are left out and counted; nothing is changed.

        Args:
            label: The attribute that holds the truth, such as ``product`` or ``category``.
            seed: Of the sample of items whose silhouettes are averaged.

        Returns:
            AMI (the headline), ARI, NMI and purity, with noise as clusters of one item and with noise left out;
            silhouette; and the clusters that mix labels most and the labels that are divided most. There is no
            interval: resampling items with replacement puts copies into one cluster, which raises every one of
            these measures; stability says how far the clusters can be trusted.

        Raises:
            NotFitted: If the collection was not clustered since it was made or migrated.
            InputError: If the attribute does not exist, is set nowhere or has several values an item.
        """
        from lookalike.collection.evaluation.clustering import evaluate_clusters

        return evaluate_clusters(self._store, self._gallery, label, seed=seed)

    def evaluate_classification(
        self,
        label: Labels,
        *,
        group_by: str | None = None,
        where: str | None = None,
        method: Method | Literal["auto"] = "auto",
        class_weights: ClassWeights = "balanced",
        false_reject_rate: float = 0.05,
        level: float = 0.95,
        resamples: int = 2000,
        most_items: int | None = MOST_ITEMS,
        seed: int = 0,
    ) -> ClassificationEvaluation:
        """Measure how good a classifier of an attribute would be, on items that it has not seen.

        The items are divided into up to five folds; for each, a classifier is trained on the others as
        ``train_classifier`` would, with everything it chooses chosen there, and labels the fold. Nothing is saved.

        Args:
            label: The attribute that holds the labels, or a table or mapping as for ``train_classifier``.
            group_by: An attribute whose equal values mark items that belong together, such as views of one product:
                they are never divided, and the intervals' bootstrap keeps them together. Without it, several
                views of one thing make the result too good.
            where: Look at the items that this filter selects.
            method, class_weights, false_reject_rate: As for ``train_classifier``.
            level: Confidence of the intervals.
            resamples: Of the bootstrap.
            most_items: With more labelled items than this, a sample of so many that keeps small classes; None: all.
            seed: Of folds, samples and the bootstrap.

        Returns:
            Accuracy and macro recall with intervals; calibration (ECE), each class, confusions; and AUROC and FPR@95
            of telling items of classes that were left out.

        Raises:
            InputError: If there are fewer than two classes, or no class has two groups.
        """
        from lookalike.collection.evaluation.classification import evaluate_classifier

        rows = self._gallery.rows() if where is None else self._searcher.select(where)
        return evaluate_classifier(
            self._store,
            rows,
            label,
            group_by=group_by,
            method=method,
            class_weights=class_weights,
            false_reject_rate=false_reject_rate,
            most_items=most_items,
            level=level,
            resamples=resamples,
            seed=seed,
        )

    def evaluate_recommendation(
        self,
        interactions: Interactions = None,
        *,
        split: datetime | str,
        group_by: str | None = None,
        k: int = 20,
        strategies: Sequence[str] | None = None,
        tastes: Mapping[str, Taste] | None = None,
        events: Sequence[str] = ("like", "cart", "purchase"),
        event_weights: Mapping[str, float] | None = None,
        half_life: HalfLife = "learned",
        cold_users: ColdUsers = "apart",
        columns: Mapping[str, str] | None = None,
        level: float = 0.95,
        resamples: int = 2000,
        most_users: int | None = MOST_USERS,
        seed: int = 0,
        progress: Progress = True,
    ) -> RecommendationEvaluation:
        """Measure how well strategies foresee what users did next, against simple methods.

        One moment cuts all interactions. Strategies and baselines are told what happened before it; what a user did
        from then on with units that were new to them is what shall be foreseen. The whole catalogue is ranked, without
        what the user had seen. One moment for everybody keeps the future out of training (Ji et al. 2023,
        https://doi.org/10.1145/3569930), a ranking of the whole catalogue keeps the order of strategies, which samples
        of it do not (Krichene and Rendle 2020, https://doi.org/10.1145/3394486.3403226), and the simple methods are
        given the same weights and decay, since many a recommender loses to them (Ferrari Dacrema et al. 2019,
        arXiv 1907.06902). The catalogue is today's: items that were removed since are no answers.

        Args:
            interactions: A table (CSV, TSV or Parquet with columns ``user``, ``item``, ``event``, ``time`` and, if
                there is one, ``weight``), :class:`lookalike.Interaction` values, or None for those that the collection
                keeps. Nothing is saved.
            split: The moment; text as ISO 8601, UTC where it has no zone.
            group_by: An attribute whose values are recommended and named by the interactions, such as a product with
                several views; a unit's vector is the normalised mean of its items'. None: items by their ids.
            k: Length of a list.
            strategies: Rows to compare. Those of the recommender: ``interests`` as users get it,
                ``interests_looks_alone`` without what other people did, ``average_vector``, ``best_score``,
                ``sum_scores``, ``discover``, ``context``. Baselines: ``item_knn`` as published and
                ``item_knn_decayed`` with the half-life, ``decayed_average`` of embeddings, ``last_item``,
                ``popularity``, ``popularity_recent`` with the half-life, ``random``. None: all.
            tastes: Further settings of the recommender, by the names of their rows.
            events: Events after the split that say that a unit was wanted.
            event_weights: Weights of events beside those that the collection keeps; below 0 is a dislike.
            half_life: Days after which an event counts half, for the recommender and the baselines that decay;
                ``learned``: what foretells best among the interactions before the split, or 30 where they are too few;
                None: events do not fade.
            cold_users: Users without any interaction before the split: ``apart`` measures them by themselves, with
                the strategies that have something to say to them; ``included`` counts them with the others, where the
                other strategies give them an empty list.
            columns: What a table calls its columns, such as ``{"user": "customer_id"}``.
            level: Confidence of the intervals.
            resamples: Of the bootstrap over users.
            most_users: With more users than this, a random sample of so many is measured; None: all.
            seed: Of samples, of what is explored, of ``random`` and of the bootstrap.
            progress: True shows a bar when stderr is a terminal; a function is called with (done, total).

        Returns:
            Of every row Recall@k, nDCG@k, Hit@k, MRR (of the list of k: 0 where nothing relevant is in it),
            intra-list diversity, novelty, coverage, and recall of units with fewer than 5 interactions before the
            split; and ``interests`` against every other row by the paired test.

        Raises:
            InputError: If nothing lies before the split or is wanted after it, no interaction names a unit, or an
                event has no weight.

        Example:
            >>> report = shop.evaluate_recommendation("events.csv", split="2026-03-10", group_by="product")
            >>> report.strategies["interests"].measures["recall@20"].estimate
            0.54
        """
        from lookalike.collection.evaluation.recommendation import evaluate_recommendations
        from lookalike.collection.evaluation.recommendation_protocol import Protocol

        protocol = Protocol(
            split,
            group_by,
            k,
            strategies,
            tastes or {},
            events,
            event_weights,
            half_life,
            cold_users,
            columns,
            level,
            resamples,
            seed,
            most_users,
        )
        return evaluate_recommendations(self._store, self._gallery, interactions, protocol, progress=progress)
