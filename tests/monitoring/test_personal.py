"""Columns that tell of persons: declared in a suite or on the way, not in clear in the log, and not judged there."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from cellops.data.expectations import parse, to_great_expectations, written
from cellops.errors import ExpectationError, PackageError
from cellops.flows.contract import _merged
from cellops.flows.package import _declared
from cellops.monitoring import prediction_log
from cellops.monitoring.personal import in_clear
from cellops.packaging.contract import build_contract
from cellops.packaging.schema import with_personal
from cellops.records.contract import Personal
from cellops.records.profile import ColumnKind
from support.logs import answered, field, schema_of

KEY = b"a key of the operator"
OTHER = b"another key of the operator"


def logged(folder, schema, columns, key):
    writer = prediction_log.open_writer(folder, schema, flush_seconds=0.01, segment_rows=10, key=key)
    rows = len(next(iter(columns.values())))
    writer.append(answered(1, rows=rows, columns=columns), rows)
    writer.close()
    assert writer.lost_rows == 0
    return prediction_log.read(folder)


def persons(**ways):
    kinds = {"name": ColumnKind.TEXT, "age": ColumnKind.INTEGER, "born": ColumnKind.DATETIME, "city": ColumnKind.TEXT}
    fields = (field(name, kind, nullable=True) for name, kind in kinds.items())
    return schema_of(*(one.replace(personal=ways.get(one.name)) for one in fields))


COLUMNS = {
    "name": np.array(["Ann Secret", None, "Ann Secret", "Bob"], dtype=object),
    "age": np.array([41, 7, 41, 41]),
    "born": np.array(["1972-01-01", "NaT", "1972-01-01", "2001-05-05"], dtype="datetime64[ns]"),
    "city": np.array(["Bonn", "Bonn", None, "Ulm"], dtype=object),
}


def test_equal_values_join_and_no_value_stands_in_clear(tmp_path):
    schema = persons(name=Personal.HASH, age=Personal.HASH, born=Personal.HASH)
    frame = logged(tmp_path / "one", schema, COLUMNS, KEY)
    for name in ("name", "age", "born"):
        assert f"input.{name}" not in frame
        hashes = frame[f"hashed.{name}"]
        given = pd.Series(COLUMNS[name])
        assert hashes.isna().tolist() == given.isna().tolist()
        assert hashes.nunique() == given.nunique()
        assert (hashes[0] == hashes[2], hashes[0] == hashes[3]) == (True, name == "age")
    assert frame["input.city"].tolist()[0] == "Bonn"
    assert list(prediction_log.inputs(frame)) == ["city"]
    content = b"".join(path.read_bytes() for path in (tmp_path / "one").rglob("*.parquet"))
    assert b"Secret" not in content
    again = logged(tmp_path / "two", schema, COLUMNS, KEY)
    assert again["hashed.name"].tolist()[:1] == frame["hashed.name"].tolist()[:1]
    with_other = logged(tmp_path / "three", schema, COLUMNS, OTHER)
    assert not set(with_other["hashed.name"].dropna()) & set(frame["hashed.name"])


@pytest.mark.parametrize(("way", "key"), [(Personal.HASH, None), (Personal.DROP, KEY)])
def test_what_is_dropped_or_has_no_key_is_not_there(tmp_path, way, key):
    frame = logged(tmp_path, persons(name=way), COLUMNS, key)
    assert [name for name in frame if "name" in name] == []
    assert frame["input.age"].tolist() == [41, 7, 41, 41]


def test_a_suite_declares_columns_and_is_written_as_it_was_read():
    body = 'expect_column_to_exist("name")\npersonal("name", "hash")\npersonal("born", log="drop")'
    suite = parse("trips", body, {})
    assert suite.personal == {"name": Personal.HASH, "born": Personal.DROP}
    assert len(suite.expectations) == 1
    assert parse("trips", written(suite), {}) == suite
    assert parse("trips", 'personal("name")', {}).personal == {"name": Personal.HASH}
    merged = _merged([suite], pd.DataFrame(columns=["name", "age"]), pd.Series(name="late", dtype=float))
    assert merged.personal == {"name": Personal.HASH}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('personal("name", log="encrypt")', "hash, drop"),
        ("personal(3)", "by its name"),
        ("personal()", "by its name"),
        ('personal("name", mostly=0.5)', "no argument mostly"),
    ],
)
def test_a_declaration_that_cannot_be_read_is_refused_with_its_line(line, said):
    with pytest.raises(ExpectationError, match=said) as caught:
        parse("trips", f'expect_column_to_exist("name")\n{line}', {})
    assert caught.value.data["line"] == 2


def test_columns_are_declared_on_the_way_to_a_package():
    contract = contract_of("")
    schema = _declared(contract, ["age", "a=b=drop"]).schema
    assert [one.personal for one in schema.inputs] == [Personal.HASH, Personal.DROP]
    schema = _declared(contract, ["age=drop", "a=b"]).schema
    assert [one.personal for one in schema.inputs] == [Personal.DROP, Personal.HASH]
    with pytest.raises(PackageError, match="no input age=encrypt"):
        _declared(contract, ["age=encrypt"])


def test_what_great_expectations_cannot_say_is_told():
    findings = []
    to_great_expectations(parse("trips", 'personal("age")', {}), findings=findings)
    assert ["personal('age')" in finding.where + finding.seen for finding in findings] == [True]


def contract_of(suite):
    table = pd.DataFrame({"age": [20.0, 30, 40, 50] * 10, "a=b": [3.0, 4, 5, 6] * 10})
    target = pd.Series([0, 1] * 20, name="late")
    model = LogisticRegression().fit(table, target)
    return build_contract(model, (table, target), suite=parse("trips", suite, {}) if suite else None)


def test_a_contract_carries_it_and_drift_leaves_the_column_out():
    contract = contract_of('personal("age")')
    assert [one.personal for one in contract.schema.inputs] == [Personal.HASH, None]
    again = with_personal(contract.schema, {"a=b": Personal.DROP})
    assert [one.personal for one in again.inputs] == [Personal.HASH, Personal.DROP]
    with pytest.raises(PackageError, match="Did you mean age"):
        with_personal(contract.schema, {"agee": Personal.HASH})
    judged, findings = in_clear(contract)
    assert [column.name for column in judged.profile.columns] == ["a=b"]
    assert [finding.where for finding in findings] == ["column age"]
