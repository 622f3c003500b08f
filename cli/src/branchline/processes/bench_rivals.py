"""Finds duplicates in a table with Splink or recordlinkage; run by an interpreter of its own that has them.

`bench_rivals.py splink|recordlinkage TABLE PAIRS`: reads a CSV table whose columns are named as a card's fields, and
writes the pairs found. Each is used as its guide recommends: the ready comparisons for each kind of column, weights
learned without supervision, several blocking rules, the usual threshold of one half.
"""

from __future__ import annotations

import csv
import sys
import warnings
from itertools import combinations
from typing import Any

KEY = "number"
NAMES = ("given_name", "middle_name", "family_name")


def main(arguments: list[str]) -> None:
    """Find and write. Shapes: TABLE has the column `number` and any of a card's fields, empty where unknown."""
    import pandas

    warnings.filterwarnings("ignore")
    engine, table, target = arguments
    rows = pandas.read_csv(table, dtype=str, keep_default_na=False).replace("", None)
    rows = rows.dropna(axis="columns", how="all")
    found = find_with_splink(rows) if engine == "splink" else find_with_recordlinkage(rows)
    with open(target, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(sorted(found))


def find_with_splink(rows: Any) -> set[tuple[str, str]]:
    """The pairs within Splink's clusters."""
    from splink import Linker, SettingsCreator, block_on
    from splink.internals.duckdb.database_api import DuckDBAPI

    columns = [name for name in rows.columns if name != KEY]
    rules = [block_on(*one) for one in _block_columns(columns)]
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name=KEY,
        comparisons=[_comparison(name) for name in columns],
        blocking_rules_to_generate_predictions=rules,
    )
    database = DuckDBAPI()
    linker = Linker(database.register(rows), settings)
    linker.training.estimate_probability_two_random_records_match(
        [block_on(*one) for one in combinations(columns, 2)][:6], recall=0.7
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for one in _block_columns(columns)[:3]:
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*one))
    predicted = linker.inference.predict(threshold_match_probability=0.5)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, 0.5).as_pandas_dataframe()
    return {pair for _, group in clusters.groupby("cluster_id") for pair in combinations(sorted(group[KEY]), 2)}


def find_with_recordlinkage(rows: Any) -> set[tuple[str, str]]:
    """The pairs that recordlinkage's unsupervised classifier takes for one record."""
    import recordlinkage

    rows = rows.set_index(KEY).fillna("")
    columns = list(rows.columns)
    indexer, compare = recordlinkage.Index(), recordlinkage.Compare()
    for one in _block_columns(columns):
        indexer.block(list(one))
    for name in columns:
        if name in ("postal_code", "email", "phone"):
            compare.exact(name, name, label=name, missing_value=0)
        else:
            compare.string(name, name, method="jarowinkler", threshold=0.85, label=name, missing_value=0)
    pairs = indexer.index(rows)
    features = compare.compute(pairs, rows)
    features = features[features.columns[features.nunique() > 1]]
    found = recordlinkage.ECMClassifier(binarize=0.5).fit_predict(features)
    return {(min(pair), max(pair)) for pair in found}


def _block_columns(columns: list[str]) -> list[tuple[str, ...]]:
    """Blocking rules over the columns there are, those that tell apart best first."""
    wanted = (
        ("email",), ("phone",), ("fact",), ("birth_date",), ("given_name", "family_name"), ("street",),
        ("name",), ("family_name", "postal_code"), ("family_name", "city"), ("given_name", "postal_code"),
        ("given_name", "city"),
    )  # fmt: skip
    return [one for one in wanted if set(one) <= set(columns)]


def _comparison(name: str) -> Any:
    import splink.comparison_library as library

    if name in NAMES or name == "name":
        return library.NameComparison(name)
    if name == "birth_date":
        return library.DateOfBirthComparison(name, input_is_string=True)
    if name == "email":
        return library.EmailComparison(name)
    if name in ("postal_code", "phone", "fact"):
        return library.LevenshteinAtThresholds(name, [1, 2])
    return library.JaroWinklerAtThresholds(name, [0.9, 0.7]).configure(term_frequency_adjustments=name == "city")


if __name__ == "__main__":
    main(sys.argv[1:])
