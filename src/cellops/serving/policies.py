"""What is done with rows that cannot simply be answered, where the contract or the operator declares something."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cellops.data.decoder import Columns
from cellops.data.problems import SHOWN, row_numbers
from cellops.errors import InputError, UsageError
from cellops.packaging.load import LoadedPackage
from cellops.packaging.predictor import Predictions
from cellops.records.contract import Action, Contract, Schema, Suite
from cellops.serving.answer_rules import FALLBACK_ANSWER, AnswerRules, is_answer_rule
from cellops.serving.business_rules import BusinessRules
from cellops.serving.failures import is_discreet, no_answer
from cellops.serving.handling import Handling
from cellops.serving.imputation import fills_missing, widened
from cellops.serving.metrics import ModelMetrics
from cellops.serving.output_check import OutputCheck
from cellops.serving.rule_check import Rows
from cellops.serving.side import Piece, Side, merged, taken

FALLBACK = "answered by fallback"


@dataclass(frozen=True)
class Declared:
    """What an operator declares beside the packages."""

    rules: BusinessRules | None = None
    fallback: LoadedPackage | None = None
    """Answers rows that a model cannot."""
    answer: str | None = None
    """What is answered where no model gives an answer."""
    suite: Suite | None = None
    """Expectations that stand in place of the packages' by the same rule on the same columns, or beside them."""
    reject: tuple[str, ...] = ()
    """Columns, or rules as `RULE(COLUMN)`, of which every broken rule rejects."""


NOTHING = Declared()


@dataclass(frozen=True, slots=True)
class Handled:
    """A request that was answered, with all that was done for it."""

    predictions: Predictions
    warnings: tuple[str, ...]
    notes: npt.NDArray[Any] | None
    """What was done to each row, in words; None where nothing was."""
    packages: npt.NDArray[Any] | None
    """Digest of the package that answered each row; None where one answered all."""


def declares(contract: Contract, declared: Declared) -> bool:
    """Whether anything is to be done with rows besides answering or refusing them."""
    rules = contract.suite.expectations if contract.suite else ()
    own = any(rule.action is Action.IMPUTE or is_answer_rule(rule, contract.schema) for rule in rules)
    return own or any(one is not None for one in (declared.rules, declared.fallback, declared.answer))


def accepted(contract: Contract, fallback: Contract | None) -> Schema:
    """What requests may hold: also missing values that a default or the fallback does without."""
    missing = set(fills_missing(contract))
    if fallback is not None:
        needed = {field.name for field in fallback.schema.inputs if not field.nullable}
        missing |= {field.name for field in contract.schema.inputs} - needed
    return widened(contract.schema, frozenset(missing))


class Policies:
    """Imputes, asks the fallback, checks answers and applies the operator's rules.

    Parameters
    ----------
    packages
        Those that a strategy divides traffic among, the champion first.
    metrics
        Where it is counted.
    declared
        The operator's part.

    Raises
    ------
    UsageError
        When the fallback cannot answer in place of the champion.
    SettingsError
        When the operator's fallback answer cannot be one.
    """

    def __init__(self, packages: Sequence[LoadedPackage], metrics: ModelMetrics, declared: Declared = NOTHING) -> None:
        champion, fallback = packages[0], declared.fallback
        contract = champion.contract
        self._name, self._metrics, self._rules = champion.manifest.name, metrics, declared.rules
        self._answer_rules = AnswerRules(contract, metrics, declared.answer)
        refused = self._answer_rules.refused_rows
        self._sides = {package.digest: Side(package, metrics, refused) for package in packages}
        self._champion = self._sides[champion.digest]
        if fallback is not None:
            require_fit(champion, fallback)
        self._fallback = None if fallback is None else Side(fallback, metrics, refused)
        self._check = OutputCheck(contract)
        self._is_discreet = is_discreet(contract)

    def answer(self, package: str, columns: Columns, rows: int) -> Handled:
        """Answer `rows` rows by the package of a digest, as far as it can.

        Raises
        ------
        InputError
            When rows break a rule that rejects, lack what every model needs, or are refused by the operator's rules.
        InferenceError
            When no answer can be given to some.
        """
        handling = Handling()
        filled = self._champion.imputed(columns, handling)
        pieces, warnings = self._pieces(self._sides[package], filled, rows, handling)
        predictions, broken = self._answer_rules.applied(merged(pieces), handling)
        if self._rules is not None:
            predictions = self._rules.applied(
                self._name,
                filled,
                predictions,
                handling,
                metrics=self._metrics,
                check=self._check,
                is_discreet=self._is_discreet,
            )
        handling.count(self._metrics)
        said = (*warnings, *broken, *handling.warnings())
        return Handled(predictions, said, handling.by_row(rows), _packages(pieces, package, rows))

    def own_rows(self, columns: Columns) -> tuple[Columns, list[str]]:
        """Rows as the champion is asked for them, and what was imputed.

        Raises
        ------
        InputError
            When some lack what it needs.
        """
        handling = Handling()
        filled = self._champion.imputed(columns, handling)
        lacking = self._champion.lacking(filled).tolist()
        if lacking:
            fact = f"{row_numbers(lacking).capitalize()}: an input of the model is missing"
            raise InputError(
                fact, remedy=f"An explanation needs {', '.join(self._champion.required)}", rows=lacking[:SHOWN]
            )
        return self._champion.strict(filled), handling.warnings()

    def _pieces(self, side: Side, columns: Columns, rows: int, handling: Handling) -> tuple[list[Piece], list[str]]:
        """Answers to every row, from whoever can give them."""
        every = np.arange(rows)
        cold = every[:0] if self._fallback is None else self._champion.lacking(columns)
        warm = np.setdiff1d(every, cold) if len(cold) else every
        known = taken(columns, warm) if len(cold) else columns
        warnings = self._champion.warnings(known, warm) if len(warm) else []
        if len(cold):
            warnings += self._require_fallback(taken(columns, cold), cold)
        pieces, cause = side.answers(known, warm) if len(warm) else ([], None)
        if self._fallback is not None and _count(pieces) < rows:
            more, other = self._of_fallback(self._fallback, columns, _left(every, pieces), handling)
            pieces, cause = pieces + more, cause or other
        if self._answer_rules.has_fallback and _count(pieces) < rows:
            left = _left(every, pieces)
            handling.note(FALLBACK_ANSWER, left)
            pieces.append(Piece(left, self._answer_rules.fallback(len(left)), side.digest))
        if _count(pieces) < rows:
            raise no_answer(columns, cause, is_discreet=self._is_discreet)
        return pieces, warnings

    def _require_fallback(self, columns: Columns, cold: Rows) -> list[str]:
        """Hold rows that are the fallback's alone against its contract."""
        assert self._fallback is not None  # noqa: S101 - no row is cold without one
        own = self._fallback.imputed(columns, Handling())
        lacking = cold[self._fallback.lacking(own)].tolist()
        if lacking:
            fact = f"{row_numbers(lacking).capitalize()}: both the model and its fallback miss an input"
            remedy = f"Send {', '.join(self._fallback.required)}, or what the model itself needs"
            raise InputError(fact, remedy=remedy, rows=lacking[:SHOWN])
        return self._fallback.warnings(own, cold)

    def _of_fallback(
        self, fallback: Side, columns: Columns, rows: Rows, handling: Handling
    ) -> tuple[list[Piece], Exception | None]:
        own = fallback.imputed(taken(columns, rows), handling, rows)
        able = fallback.able_rows(own)
        pieces, cause = fallback.answers(taken(own, able), rows[able]) if len(able) else ([], None)
        for piece in pieces:
            handling.note(FALLBACK, piece.rows, of=fallback.name)
        return pieces, cause


def require_fit(package: LoadedPackage, fallback: LoadedPackage) -> None:
    """Refuse a fallback that cannot stand in for a model.

    Raises
    ------
    UsageError
        When it needs other inputs, or answers something else.
    """
    own, other = package.contract.schema, fallback.contract.schema
    kinds = {field.name: field.kind for field in own.inputs}
    strange = [field.name for field in other.inputs if kinds.get(field.name) is not field.kind]
    names = f"{fallback.manifest.name} cannot be the fallback of {package.manifest.name}"
    if strange:
        fact = f"{names}: it needs {', '.join(strange)}, which requests do not have, or not of this type"
        raise UsageError(fact, remedy="Train the fallback on some of the model's own inputs")
    if (own.task, own.classes, own.probabilities) != (other.task, other.classes, other.probabilities):
        fact = f"{names}: it answers something else"
        raise UsageError(fact, remedy="Train the fallback on the same target, with the same classes")


def _packages(pieces: Sequence[Piece], package: str, rows: int) -> npt.NDArray[Any] | None:
    """The digest of the package that answered each row; None where it is always the same one."""
    if all(piece.package == package for piece in pieces):
        return None
    packages = np.full(rows, package, dtype=object)
    for piece in pieces:
        packages[piece.rows] = piece.package
    return packages


def _count(pieces: Sequence[Piece]) -> int:
    return sum(len(piece.rows) for piece in pieces)


def _left(every: Rows, pieces: Sequence[Piece]) -> Rows:
    """The rows that no piece has."""
    return np.setdiff1d(every, np.concatenate([every[:0], *(piece.rows for piece in pieces)]))
