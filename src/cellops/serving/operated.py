"""A package with the operator's own word on its rules: stricter by a setting, or as a suite of theirs says."""

from collections.abc import Iterable
from dataclasses import replace

from cellops.data.expectations.registry import rule_type
from cellops.data.problems import listed
from cellops.errors import ExpectationError, SettingsError
from cellops.packaging.defaults import resolved
from cellops.packaging.load import LoadedPackage
from cellops.records.contract import Action, Contract, Expectation, Suite
from cellops.serving.answer_rules import is_answer_rule
from cellops.serving.policies import Declared


def operated(package: LoadedPackage, declared: Declared) -> LoadedPackage:
    """The package with the rules that hold on this server.

    Raises
    ------
    ExpectationError
        When the operator's suite does not fit.
    SettingsError
        When a rule is to reject that there is not.
    """
    contract = package.contract
    if declared.suite is not None:
        contract = contract.replace(suite=_overridden(contract, declared.suite))
    if declared.reject:
        contract = contract.replace(suite=_rejecting(contract, declared.reject))
    return package if contract is package.contract else replace(package, contract=contract)


def bare(package: LoadedPackage) -> LoadedPackage:
    """The package without the rules that change rows or answers: so it is proven that its model answers as it did."""
    suite = package.contract.suite
    if suite is None:
        return package
    kept = [
        rule
        for rule in suite.expectations
        if rule.action is not Action.IMPUTE and not is_answer_rule(rule, package.contract.schema)
    ]
    contract = package.contract.replace(suite=suite.replace(expectations=tuple(kept)))
    return replace(package, contract=contract)


def _overridden(contract: Contract, own: Suite) -> Suite:
    """The operator's expectations, and those of the package on other columns or by other rules."""
    schema, suite = contract.schema, contract.suite or Suite(name="inputs")
    known = {schema.target, *(field.name for field in schema.inputs)}
    strange = [name for rule in own.expectations for name in rule.columns if name not in known]
    if strange:
        fact = f"The suite of the server has rules on {strange[0]}, which the model neither takes nor predicts"
        raise ExpectationError(fact, remedy=f"Its columns are: {listed(sorted(known))}")
    added = resolved(own, contract).expectations
    instead = {(rule.rule, rule.columns) for rule in added}
    kept = [rule for rule in suite.expectations if (rule.rule, rule.columns) not in instead]
    return suite.replace(expectations=(*kept, *added))


def _rejecting(contract: Contract, names: Iterable[str]) -> Suite:
    """The suite in which some rules reject, whatever the package says."""
    suite = contract.suite or Suite(name="inputs")
    strict = list(suite.expectations)
    for name in names:
        meant = [
            place
            for place, rule in enumerate(strict)
            if name in (_name(rule), *rule.columns) and rule_type(rule.rule).row_wise
        ]
        if not meant:
            rules = ", ".join(map(_name, strict)) or "none"
            fact = "CELLOPS_SERVER_REJECT names a rule or column that the package has no rule on"
            raise SettingsError(fact, received=name, remedy=f"Its rules are: {rules}")
        for place in meant:
            strict[place] = strict[place].replace(action=Action.REJECT, default=None)
    return suite.replace(expectations=tuple(strict))


def _name(rule: Expectation) -> str:
    return f"{rule.rule}({', '.join(rule.columns)})"
