"""The rules on the form of texts."""

import json
import re
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cellops.data.expectations.column import Column, Mask
from cellops.data.expectations.rule import Bind, ValueRule, require_list, require_one_of, require_type
from cellops.errors import ExpectationError

REMEMBERED = 1024
SHORT = 64
"""Characters of a text that is worth remembering."""


class KnownTexts:
    """Texts that are known to have a form: requests repeat theirs, and looking one up costs a tenth of reading it."""

    def __init__(self, predicate: Callable[[str], object]) -> None:
        self.texts: set[str] = set()
        self._predicate = predicate

    def holds(self, text: str) -> bool:
        """Read a text, and remember a short one that has the form, up to a number of them."""
        if not self._predicate(text):
            return False
        if len(self.texts) < REMEMBERED and len(text) <= SHORT:
            self.texts.add(text)
        return True


@dataclass(frozen=True)
class FormRule(ValueRule):
    """A rule on each text of a column; each distinct text is read once."""

    def failed(self, column: Column) -> Mask:
        column.refuse_other_than("text")
        holds = self.predicate()
        return column.where(lambda text: not holds(text))

    def value_test(self, value: str, bind: Bind) -> str:
        known = KnownTexts(self.predicate())
        return f"type({value}) is str and ({value} in {bind(known.texts)} or {bind(known.holds)}({value}))"

    @abstractmethod
    def predicate(self) -> Callable[[str], object]:
        """Whether a text has the form."""


@dataclass(frozen=True)
class ValuesMatchRegex(FormRule):
    """Each text has a place that the regular expression matches."""

    regex: str

    name = "expect_column_values_to_match_regex"

    def __post_init__(self) -> None:
        super().__post_init__()
        compiled("regex", self.regex)

    def predicate(self) -> Callable[[str], object]:
        return re.compile(self.regex).search


@dataclass(frozen=True)
class ValuesNotMatchRegex(FormRule):
    """No text has a place that the regular expression matches."""

    regex: str

    name = "expect_column_values_to_not_match_regex"

    def __post_init__(self) -> None:
        super().__post_init__()
        compiled("regex", self.regex)

    def predicate(self) -> Callable[[str], object]:
        search = re.compile(self.regex).search
        return lambda text: search(text) is None


@dataclass(frozen=True)
class ValuesMatchRegexList(FormRule):
    """Each text matches one of the regular expressions, or each of them: `match_on` is `any` or `all`."""

    regex_list: list[str]
    match_on: str = "any"

    name = "expect_column_values_to_match_regex_list"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_one_of("match_on", self.match_on, ("any", "all"))
        all_compiled(self.regex_list)

    def predicate(self) -> Callable[[str], object]:
        searches = [re.compile(regex).search for regex in self.regex_list]
        enough = any if self.match_on == "any" else all
        return lambda text: enough(search(text) is not None for search in searches)


@dataclass(frozen=True)
class ValuesNotMatchRegexList(FormRule):
    """No text matches any of the regular expressions."""

    regex_list: list[str]

    name = "expect_column_values_to_not_match_regex_list"

    def __post_init__(self) -> None:
        super().__post_init__()
        all_compiled(self.regex_list)

    def predicate(self) -> Callable[[str], object]:
        searches = [re.compile(regex).search for regex in self.regex_list]
        return lambda text: all(search(text) is None for search in searches)


@dataclass(frozen=True)
class ValuesMatchStrftime(FormRule):
    """Each text is a time as `strftime_format` writes it."""

    strftime_format: str

    name = "expect_column_values_to_match_strftime_format"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_type("strftime_format", self.strftime_format, str, 'For example: "%Y-%m-%d"')
        try:
            datetime.strptime(datetime(2000, 1, 1).strftime(self.strftime_format), self.strftime_format)  # noqa: DTZ001, DTZ007
        except (ValueError, re.error) as error:
            fact = f"strftime_format cannot be read back: {error}"
            raise ExpectationError(fact, received=self.strftime_format, remedy='For example: "%Y-%m-%d"') from error

    def predicate(self) -> Callable[[str], object]:
        return lambda text: _reads(lambda: datetime.strptime(text, self.strftime_format))  # noqa: DTZ007 - no zone is meant


@dataclass(frozen=True)
class ValuesParseable(FormRule):
    """Each text is a time as python-dateutil reads it."""

    name = "expect_column_values_to_be_dateutil_parseable"

    def predicate(self) -> Callable[[str], object]:
        from dateutil.parser import parse

        return lambda text: _reads(lambda: parse(text))


@dataclass(frozen=True)
class ValuesJson(FormRule):
    """Each text is JSON."""

    name = "expect_column_values_to_be_json_parseable"

    def predicate(self) -> Callable[[str], object]:
        return lambda text: _reads(lambda: json.loads(text))


def _reads(read: Callable[[], object]) -> bool:
    try:
        read()
    except (ValueError, ArithmeticError, RecursionError):  # dateutil lets errors of decimals through
        return False
    return True


def compiled(argument: str, regex: object) -> None:
    """Refuse what is no regular expression."""
    require_type(argument, regex, str, "Put it in quotes")
    try:
        re.compile(str(regex))
    except (re.error, OverflowError, RecursionError) as error:
        fact = f"{argument} is not a regular expression: {error}"
        raise ExpectationError(fact, received=regex, remedy="Correct it; see the module re of Python") from error


def all_compiled(regex_list: object) -> None:
    """Refuse what is no list of regular expressions."""
    require_list("regex_list", regex_list, str, 'For example: ["^[A-Z]", "[0-9]$"]')
    assert isinstance(regex_list, list)  # noqa: S101 - it was just looked at
    if not regex_list:
        fact = "regex_list has no regular expression"
        raise ExpectationError(fact, remedy='For example: ["^[A-Z]", "[0-9]$"]')
    for regex in regex_list:
        compiled("regex_list", regex)
